/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.time.Duration;
import java.time.Instant;
import java.util.function.IntSupplier;

/**
 * A task that looks at everything of a kind, and is wanted often. Where that is little, it runs at once, always. Where it is much, it runs so
 * seldom that it takes a fifth of the loop's time at most, and what is asked for meanwhile is done together. For use on one event loop
 * only.
 */
public final class Paced {
    /** So many things are little: a look at them takes less than what one of them waits for elsewhere. */
    static final int LITTLE = 256;

    private static final int SHARE = 4;
    /** A shorter wait is none. */
    private static final Duration NOTHING = Duration.ofMillis(1);

    private final EventLoop loop;
    private final IntSupplier size;
    private final Runnable task;
    private Instant next = Instant.MIN;
    private boolean waiting;

    /**
     * Nothing is asked for yet.
     *
     * @param size how many things the task would look at now
     */
    public Paced(EventLoop loop, IntSupplier size, Runnable task) {
        this.loop = loop;
        this.size = size;
        this.task = task;
    }

    /** Runs the task, now or later. */
    public void run() {
        if (waiting) {
            return;
        }
        Instant now = loop.now();
        if (size.getAsInt() > LITTLE && now.isBefore(next)) {
            waiting = true;
            loop.schedule(Duration.between(now, next), () -> {
                waiting = false;
                perform();
            });
        } else {
            perform();
        }
    }

    /** Whether a run was asked for that is still to come. */
    public boolean isWaiting() {
        return waiting;
    }

    private void perform() {
        Instant begin = loop.now();
        try {
            task.run();
        } finally {
            Instant end = loop.now();
            Duration rest = Duration.between(begin, end).multipliedBy(SHARE);
            next = rest.compareTo(NOTHING) < 0 ? Instant.MIN : end.plus(rest);
        }
    }
}
