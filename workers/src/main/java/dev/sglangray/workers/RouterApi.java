/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.time.Duration;
import java.util.List;

/**
 * The control side of a router, whose HTTP dialect differs between versions. Implementations are safe for use by many
 * threads; registrations of different servers run side by side.
 */
public interface RouterApi {

    /** RLinf waits this long for a registration. */
    Duration DEFAULT_REGISTRATION_TIMEOUT = Duration.ofMinutes(5);

    /**
     * Adds a server and waits until the router sends requests to it.
     *
     * @param server the server; its key, when it has one, is what the router will show it
     * @param timeout how long the whole may take
     * @throws RouterApiException when the router refuses, the job fails, or the time is over
     */
    RegisteredServer register(ServerEndpoint server, Duration timeout);

    /**
     * Takes a server away. When it fails nothing is forgotten, so that it can be tried again.
     *
     * @return whether the router had it
     * @throws RouterApiException when the router refuses or cannot be reached
     */
    boolean unregister(String url, Duration timeout);

    /**
     * All servers that the router lists.
     *
     * @throws RouterApiException when the router refuses or cannot be reached
     */
    List<RegisteredServer> servers(Duration timeout);
}
