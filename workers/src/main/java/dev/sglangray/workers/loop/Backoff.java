/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.time.Duration;

/** A wait that doubles from one failure to the next, up to a longest. Not thread-safe. */
public final class Backoff {
    private final Duration first;
    private final Duration timeout;
    private Duration next;

    /** Begins with the first wait, above zero. */
    public Backoff(Duration first, Duration timeout) {
        this.first = first;
        this.timeout = timeout;
        this.next = first;
    }

    /** The wait after one more failure. */
    public Duration next() {
        Duration wait = next;
        Duration doubled = wait.multipliedBy(2);
        next = doubled.compareTo(timeout) <= 0 ? doubled : timeout;
        return wait;
    }

    /** Whether there was no failure since the last success. */
    public boolean isFresh() {
        return next.equals(first);
    }

    /** After a success. */
    public void reset() {
        next = first;
    }
}
