/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * Receives the looks at a fleet. Called from the monitor's thread, one call after the other; what a launch or a change of size says
 * comes from their threads. No call may block for long: the next look waits for it.
 */
public interface LookListener extends AutoCloseable {
    /** How long it wants from one look to the next at the moment. The shortest wish of all listeners holds. */
    Duration interval();

    /** Whether it wants to know the engines' load at the moment. */
    default boolean wantsLoad() {
        return false;
    }

    /**
     * A look.
     *
     * @param took how long the workers took to answer
     * @param at when it ended
     */
    void saw(FleetLook look, Duration took, Instant at);

    /** What the events of the next look tell of a worker; before {@link #saw} of that look. */
    default void happened(Episode episode) {}

    /** A look that failed; the next one tries again. */
    default void missed(RuntimeException failure, Instant at) {}

    /** A phase of a launch or of a change of size begins; {@code what} says in words what is done. */
    default void phaseBegan(String phase, String what) {}

    /** A phase of a launch or of a change of size is over. */
    default void phase(String phase, Duration took) {}

    /** A worker serves for the first time, in a launch or a change of size. */
    default void workerReady(String worker, String url) {}

    /** The launch is over; the words say why it failed. */
    default void launched(Optional<String> failure) {}

    /** A trainer reports a step. */
    default void reported(TrainerStep step) {}

    /** A change of a pool's size is over. */
    default void scaled(String pool, boolean up, boolean done) {}

    /** What autoscaling makes of a pool's load. From the monitor's thread, after each look. */
    default void demand(PoolDemand demand) {}

    /** What became of a decision of autoscaling. From the thread of the change. */
    default void decided(String pool, boolean up, PoolDemand.Result result) {}

    /** The fleet ends, or is not looked at any more. Harmless when repeated. */
    @Override
    void close();
}
