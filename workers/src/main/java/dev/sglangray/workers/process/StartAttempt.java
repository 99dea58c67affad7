/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.PortLease;
import dev.sglangray.bridge.ProcessSpec;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One try to start a server.
 *
 * @param leases the ports it holds, given back when it ends
 * @param port where it serves
 * @param url what others call it by
 * @param process the child
 * @param retryable whether another try may use other ports, because we chose them
 * @param bootstrapPort where a prefill engine serves its decoders, or null
 */
record StartAttempt(
        List<PortLease> leases,
        int port,
        String url,
        ProcessSpec process,
        boolean retryable,
        @Nullable Integer bootstrapPort) {
    StartAttempt {
        leases = List.copyOf(leases);
    }

    void release() {
        leases.forEach(PortLease::close);
    }
}
