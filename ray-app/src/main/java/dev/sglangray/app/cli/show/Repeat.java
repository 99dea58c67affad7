/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.workers.WorkerInterruptedException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** One look after the other, until Ctrl-C. Stateless. */
public final class Repeat {
    /** One look. */
    @FunctionalInterface
    public interface Look {
        /** Looks; false ends the looks. */
        boolean look() throws InterruptedException;
    }

    private Repeat() {}

    /**
     * Looks at once and then with a pause after each look. Returns when this thread is interrupted, with the flag set, or when a look
     * wants no other.
     */
    public static void untilInterrupted(Duration pause, Look look) {
        CountDownLatch never = new CountDownLatch(1);
        try {
            while (look.look() && !never.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {}
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (WorkerInterruptedException e) {
            // Its thrower has set the flag.
            return;
        }
    }
}
