/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How often and how soon may be restarted: a sliding window, and a wait that doubles in it. Not thread-safe. */
final class RestartBudget {
    private final SupervisionPolicy policy;
    private final Deque<Instant> spent = new ArrayDeque<>();

    RestartBudget(SupervisionPolicy policy) {
        this.policy = policy;
    }

    /**
     * Spends one restart; the wait before it, or empty when there is none left in the window.
     *
     * @param served how long the process had served; that counts as waited, so only a process that does not stay healthy waits
     */
    Optional<Duration> spend(Instant now, Duration served) {
        while (!spent.isEmpty() && !spent.peekFirst().isAfter(now.minus(policy.restartWindow()))) {
            spent.removeFirst();
        }
        int before = spent.size();
        if (before >= policy.maxRestarts()) {
            return Optional.empty();
        }
        spent.addLast(now);
        Duration wait = backoff(before).minus(served);
        return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
    }

    private Duration backoff(int before) {
        if (before == 0) {
            return Duration.ZERO;
        }
        // Beyond 2^20 every sensible wait is at its longest.
        Duration doubled = policy.backoffInitial().multipliedBy(1L << Math.min(before - 1, 20));
        return doubled.compareTo(policy.backoffMax()) <= 0 ? doubled : policy.backoffMax();
    }

    /** When restarts were spent, for a successor. */
    List<Instant> spent() {
        return List.copyOf(spent);
    }

    /** When the last restart was spent; null when none was. */
    @Nullable
    Instant last() {
        return spent.peekLast();
    }

    /** Takes a predecessor's restarts over; a clock that was set back since must not make them count for longer. */
    void inherit(List<Instant> times, Instant now) {
        spent.clear();
        times.forEach(time -> spent.addLast(time.isAfter(now) ? now : time));
    }
}
