/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.ray;

import static org.assertj.core.api.Assertions.assertThat;

import io.ray.api.ObjectRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
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

    private record Ready(String get) implements ObjectRef<String> {
        @Override
        public String get(long timeoutMs) {
            return get;
        }
    }

    @Test
    void answersOfAManyAreTakenTogether() throws InterruptedException {
        int calls = 2000;
        LongAdder looks = new LongAdder();
        CountDownLatch all = new CountDownLatch(1);
        ObjectRefPoller waiter = new ObjectRefPoller(50, (refs, count, sliceMs) -> {
            try {
                // The first look is at all of them.
                all.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            looks.add(refs.size());
            return refs.stream()
                    .filter(ref -> !(((Object) ref) instanceof NeverRef))
                    .limit(count)
                    .toList();
        });
        List<CompletableFuture<String>> answers = new ArrayList<>();
        CompletableFuture<String> never = waiter.watch(new NeverRef());
        for (int i = 0; i < calls; i++) {
            answers.add(waiter.watch(new Ready(String.valueOf(i))));
        }
        all.countDown();
        CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new))
                .orTimeout(SOON.toSeconds(), TimeUnit.SECONDS)
                .join();
        waiter.stop(SOON);

        assertThat(answers.get(calls - 1)).isCompletedWithValue(String.valueOf(calls - 1));
        assertThat(never).isCompletedExceptionally();
        // One by one would be half of the square, 2,000,000.
        assertThat(looks.sum()).isLessThan(10L * calls);
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
