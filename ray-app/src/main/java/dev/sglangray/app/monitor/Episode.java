/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import java.time.Duration;
import java.time.Instant;

/**
 * Something that happened to a worker, as its events tell it. Immutable.
 *
 * @param worker the actor's name
 * @param pool the engine's pool; empty for a router, and in a fleet that names no pools
 * @param isEngine false for the router
 * @param what what happened
 * @param begin when it began
 * @param end when it was over; the begin for what takes no time
 */
public record Episode(String worker, String pool, boolean isEngine, What what, Instant begin, Instant end) {
    /** What happened. */
    public sealed interface What {}

    /** A process ended, and its successor serves. */
    public record Restart(Cause cause) implements What {}

    /** The router did not send to the engine. */
    public record OutOfService() implements What {}

    /** A phase of an update of the engine's weights. */
    public record Update(UpdatePhase phase) implements What {}

    /** Something that has no length. */
    public record Moment(MomentKind kind) implements What {}

    /** What can end a process. */
    public enum Cause {
        /** It ended by itself, or was killed. */
        EXIT,
        /** It failed its probes. */
        UNRESPONSIVE,
        /** A start failed. */
        START_FAILED,
        /** A command or a program asked for a new process. */
        REQUESTED,
        /** The worker's own process ended. */
        WORKER,
        /** The engine has another worker, after the loss of its node. */
        MOVED
    }

    /** The phases of an update, in their order. */
    public enum UpdatePhase {
        /** Until the router does not send to the engine. */
        WITHDRAW,
        /** Until it has the weights, the end of its requests included. */
        LOAD,
        /** Until the router sends to it again. */
        RETURN
    }

    /** What has no length. */
    public enum MomentKind {
        /** A start that the restart budget pays for is due. */
        RESTART_DUE,
        /** A probe failed. */
        PROBE_FAILED,
        /** A drain began. */
        DRAIN
    }

    /** How long it took, 0 or more: clocks of two nodes differ. */
    public Duration took() {
        Duration took = Duration.between(begin, end);
        return took.isNegative() ? Duration.ZERO : took;
    }
}
