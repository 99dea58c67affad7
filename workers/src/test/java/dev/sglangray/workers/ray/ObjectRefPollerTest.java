/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.ray;

import static org.assertj.core.api.Assertions.assertThat;

import io.ray.api.ObjectRef;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ObjectRefPollerTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    /** An answer that never comes. */
    private static final class NeverRef implements ObjectRef<String> {
        @Override
        public String get() {
            throw new IllegalStateException("not ready");
        }

        @Override
        public String get(long timeoutMs) {
            throw new IllegalStateException("not ready");
        }
    }

    @Test
    void noThreadIsLeftInRayAfterAStop() throws InterruptedException {
        ObjectRefPoller waiter = new ObjectRefPoller();
        CompletableFuture<String> answer = waiter.watch(new NeverRef());
        assertThat(waiter.isWaiting()).isTrue();

        waiter.stop(SOON);

        assertThat(waiter.isWaiting()).isFalse();
        assertThat(answer).isCompletedExceptionally();
    }

    @Test
    void aStopWithoutAThreadIsHarmlessAndLaterCallsWaitAgain() throws InterruptedException {
        ObjectRefPoller waiter = new ObjectRefPoller();
        waiter.stop(SOON);
        CompletableFuture<String> unused = waiter.watch(new NeverRef());
        assertThat(waiter.isWaiting()).isTrue();
        waiter.stop(SOON);
        assertThat(waiter.isWaiting()).isFalse();
    }
}
