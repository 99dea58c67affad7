/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.time.Duration;
import java.time.Instant;

/** A point in time by a loop's clock, which several waits share. Immutable. */
public final class Deadline {
    private final EventLoop loop;
    private final Duration whole;
    private final Instant end;

    private Deadline(EventLoop loop, Duration whole) {
        this.loop = loop;
        this.whole = whole;
        this.end = loop.now().plus(whole);
    }

    /** So long from now. */
    public static Deadline in(EventLoop loop, Duration time) {
        return new Deadline(loop, time);
    }

    /** What is left, never negative. */
    public Duration left() {
        Duration left = Duration.between(loop.now(), end);
        return left.isNegative() ? Duration.ZERO : left;
    }

    /** Whether nothing is left. */
    public boolean isOver() {
        return !loop.now().isBefore(end);
    }

    /** The whole time, for messages. */
    public String text() {
        return whole.toMillis() % 1000 == 0 ? whole.toSeconds() + " s" : whole.toMillis() / 1000.0 + " s";
    }
}
