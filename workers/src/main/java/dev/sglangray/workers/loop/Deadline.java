/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A point in time that several waits share. Immutable. */
public final class Deadline {
    private final InstantSource clock;
    private final Duration whole;
    private final Instant end;

    private Deadline(InstantSource clock, Duration whole) {
        this.clock = clock;
        this.whole = whole;
        this.end = clock.instant().plus(whole);
    }

    /** So long from now, by a loop's clock. */
    public static Deadline in(EventLoop loop, Duration time) {
        return new Deadline(loop::now, time);
    }

    /** So long from now, whatever is done to the machine's clock. */
    public static Deadline in(Duration time) {
        return new Deadline(() -> Instant.EPOCH.plusNanos(System.nanoTime()), time);
    }

    /** What is left, never negative. */
    public Duration left() {
        Duration left = Duration.between(clock.instant(), end);
        return left.isNegative() ? Duration.ZERO : left;
    }

    /** Whether nothing is left. */
    public boolean isOver() {
        return !clock.instant().isBefore(end);
    }

    /** The whole time, for messages. */
    public String text() {
        return whole.toMillis() % 1000 == 0 ? whole.toSeconds() + " s" : whole.toMillis() / 1000.0 + " s";
    }
}
