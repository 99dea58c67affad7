/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.time.Duration;

/** The calls of all worker groups of this JVM, for whoever ends its connection to Ray. */
public final class RayCalls {
    private static final Duration ENOUGH = Duration.ofSeconds(5);

    private RayCalls() {}

    /**
     * Stops waiting for answers; to be called before {@code Ray.shutdown()}, which crashes the process natively while
     * another thread waits in Ray. Unanswered calls fail. An interrupt keeps its flag. Calls made later wait again.
     */
    public static void stopWaiting() {
        try {
            RefWaiter.shared().stop(ENOUGH);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
