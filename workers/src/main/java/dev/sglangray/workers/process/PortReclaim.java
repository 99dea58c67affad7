/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.PortAllocator;
import dev.sglangray.bridge.PortLease;
import dev.sglangray.bridge.PortUnavailableException;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Waits for the port of a predecessor whose process tree is still being ended. */
final class PortReclaim {
    /** A tree whose worker died gets 2 s to end, then SIGKILL; large processes take a while to give their memory back. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    private static final long PAUSE_MS = 100;

    private PortReclaim() {}

    /**
     * The port, as soon as it is free.
     *
     * @throws PortUnavailableException when it stays taken
     * @throws WorkerFailure when interrupted
     */
    static PortLease acquire(PortAllocator ports, int port) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                return ports.acquire(port);
            } catch (PortUnavailableException e) {
                if (System.nanoTime() - end >= 0) {
                    throw e;
                }
            }
            try {
                TimeUnit.MILLISECONDS.sleep(PAUSE_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new WorkerFailure("the wait for port " + port + " was interrupted");
            }
        }
    }
}
