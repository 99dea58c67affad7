/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/** Lets one change of an engine happen at a time. Safe for use by many threads. */
public final class ExclusiveChange {
    private final ReentrantLock lock = new ReentrantLock();
    private volatile String underWay = "";

    /**
     * Runs a change alone.
     *
     * @param what names it, for those who wait
     * @param timeout for the wait and the change
     * @throws WorkerFailure when another change takes longer, or the thread is interrupted, whose flag stays
     */
    public <T> T alone(String what, Duration timeout, Function<Deadline, T> change) {
        Deadline deadline = Deadline.in(timeout);
        try {
            if (!lock.tryLock(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new WorkerFailure(what + ": " + underWay + " was still under way after " + deadline.text());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure(what + " was interrupted");
        }
        try {
            underWay = what;
            return change.apply(deadline);
        } finally {
            lock.unlock();
        }
    }
}
