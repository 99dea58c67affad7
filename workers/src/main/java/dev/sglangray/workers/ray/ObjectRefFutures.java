/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.ray;

import io.ray.api.ObjectRef;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** The calls of all worker groups of this JVM, for the code that ends its connection to Ray. */
public final class ObjectRefFutures {
    private static final Duration ENOUGH = Duration.ofSeconds(5);

    private static final int LONG_SLICE_MS = 200;

    /** For calls that wait for something to happen, so that short calls are not held up by them. */
    private static final ObjectRefPoller FOR_LONG_CALLS = new ObjectRefPoller(LONG_SLICE_MS);

    private ObjectRefFutures() {}

    /**
     * A future for a call that is meant to stay unanswered for long, such as a poll that its receiver holds. What is
     * chained on it must not block. Fails when the connection is closed.
     */
    public static <T> CompletableFuture<T> watchLong(ObjectRef<T> ref) {
        return FOR_LONG_CALLS.watch(ref);
    }

    /**
     * Stops waiting for answers; to be called before {@code Ray.shutdown()}, which crashes the process natively while
     * another thread waits in Ray. Unanswered calls fail. An interrupt keeps its flag. Calls made later wait again.
     */
    public static void stopWaiting() {
        try {
            ObjectRefPoller.shared().stop(ENOUGH);
            FOR_LONG_CALLS.stop(ENOUGH);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
