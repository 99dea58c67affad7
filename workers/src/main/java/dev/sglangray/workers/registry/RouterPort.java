/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The control side of one router process, whose HTTP dialect differs between versions. Adding and removing a server only queue a
 * job in the router. The futures complete on the registry's event loop, each within its own deadline; a failure has words for
 * people.
 */
public interface RouterPort {
    /** How far the router is with a server. */
    sealed interface Progress {
        /** The router still looks at it. */
        record Pending(String detail) implements Progress {}

        /** The router lists it. */
        record Listed(RegisteredServer server) implements Progress {}

        /** The router gave it up. */
        record Failed(String why) implements Progress {}

        /** The router does not know it. */
        record Unknown() implements Progress {}
    }

    /**
     * Asks the router to add a server.
     *
     * @return the router's id of it; empty with words in the failure when it refuses. A failure that is a {@link Refused} means that
     *     nothing was queued; after any other it is not known
     */
    CompletableFuture<String> add(ServerEndpoint server);

    /** The router refused to add a server, so that nothing was queued. */
    final class Refused extends RuntimeException {
        /** With the router's words. */
        public Refused(String message) {
            super(message);
        }
    }

    /** How far it is with the server of an id. */
    CompletableFuture<Progress> progress(String id);

    /** Asks the router to remove the server of an id; false when it does not have it. */
    CompletableFuture<Boolean> remove(String id);

    /** All servers that it lists. */
    CompletableFuture<List<RegisteredServer>> list();

    /** What a server says of itself; fails when it does not answer. */
    CompletableFuture<ServerFacts> describe(ServerEndpoint server);
}
