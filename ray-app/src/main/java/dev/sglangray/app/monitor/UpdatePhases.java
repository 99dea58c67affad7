/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.workers.supervision.EventKind;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How long the phases of an update of weights take at one engine, read from its events in their order. Not thread-safe. */
public final class UpdatePhases {
    private @Nullable Instant updating;
    private @Nullable Instant loaded;

    /** The phases in their order. */
    public enum Phase {
        /** From the beginning until the router sends it no requests; absent where requests wait inside the engine. */
        WITHDRAW,
        /** From then until it has the weights. */
        LOAD,
        /** From then until it gets requests again. */
        RETURN;

        /** The name for people and programs. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Receives a phase that is over. */
    @FunctionalInterface
    public interface Sink {
        void ended(Phase phase, Duration took);
    }

    /** Takes an event in. */
    public void take(EventKind kind, Instant time, Sink sink) {
        switch (kind) {
            case HELD -> updating = time;
            case WITHDRAWN -> {
                if (updating != null) {
                    ended(Phase.WITHDRAW, updating, time, sink);
                    updating = time;
                }
            }
            case WEIGHTS -> {
                ended(Phase.LOAD, updating, time, sink);
                updating = null;
                loaded = time;
            }
            case PUBLISHED -> {
                ended(Phase.RETURN, loaded, time, sink);
                loaded = null;
                updating = null;
            }
            default -> {}
        }
    }

    private static void ended(Phase phase, @Nullable Instant begin, Instant end, Sink sink) {
        if (begin != null) {
            Duration took = Duration.between(begin, end);
            sink.ended(phase, took.isNegative() ? Duration.ZERO : took);
        }
    }
}
