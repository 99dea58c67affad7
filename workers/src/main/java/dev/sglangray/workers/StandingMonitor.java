/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.supervision.Standing;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Lets threads wait until a supervised process stands as they want. Safe for use by many threads. */
final class StandingMonitor {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable Standing latest;

    void set(Standing standing) {
        lock.lock();
        try {
            latest = standing;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Whether it came to stand so in time; an interrupt is a {@link WorkerFailure} and keeps its flag. */
    boolean await(Predicate<Standing> wanted, Duration longest) {
        lock.lock();
        try {
            long left = longest.toNanos();
            while (latest == null || !wanted.test(latest)) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the wait was interrupted");
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #await}, by a clock of its own, for callers that look at more than the standing. */
    static void pause(Duration time) {
        try {
            TimeUnit.MILLISECONDS.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the wait was interrupted");
        }
    }
}
