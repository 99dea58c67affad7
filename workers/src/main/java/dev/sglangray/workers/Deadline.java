/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.time.Duration;

/** A point in time, from now, that several waits share. Immutable. */
final class Deadline {
    private final Duration whole;
    private final long end;

    private Deadline(Duration whole) {
        this.whole = whole;
        this.end = System.nanoTime() + whole.toNanos();
    }

    static Deadline in(Duration time) {
        return new Deadline(time);
    }

    /** What is left, never negative. */
    Duration left() {
        return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }

    boolean isOver() {
        return System.nanoTime() - end >= 0;
    }

    /** The whole time, for messages. */
    String text() {
        return whole.toMillis() % 1000 == 0 ? whole.toSeconds() + " s" : whole.toMillis() / 1000.0 + " s";
    }
}
