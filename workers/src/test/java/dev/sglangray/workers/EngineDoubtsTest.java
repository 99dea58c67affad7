/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who is suspended without its worker's word is asked until there is one. */
class EngineDoubtsTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private volatile boolean suspended = true;
    private volatile boolean there = true;
    private volatile int silent = 2;
    private final EngineDoubts doubts = new EngineDoubts(timer, this::ask, url -> suspended, Duration.ofMillis(1));

    private Optional<CompletableFuture<Boolean>> ask(String actor) {
        asked.add(actor);
        if (!there) {
            return Optional.empty();
        }
        return Optional.of(
                asked.size() <= silent
                        ? CompletableFuture.failedFuture(new IllegalStateException("not there at the moment"))
                        : CompletableFuture.completedFuture(true));
    }

    /** The timer's one thread has done by then what was due before. */
    private void settle() throws Exception {
        assertThat(timer.schedule(() -> true, 50, TimeUnit.MILLISECONDS).get()).isTrue();
    }

    @AfterEach
    void end() {
        timer.shutdownNow();
    }

    @Test
    void asksUntilItIsAnswered() throws Exception {
        doubts.add("engines:0", "http://a:1");
        await().atMost(LONG).until(() -> asked.size() == 3);
        settle();
        assertThat(asked).containsOnly("engines:0").hasSize(3);
    }

    @Test
    void asksNobodyWhoGetsRequestsAgain() throws Exception {
        suspended = false;
        doubts.add("engines:0", "http://a:1");
        settle();
        assertThat(asked).isEmpty();
    }

    @Test
    void asksNobodyWhoIsGone() throws Exception {
        there = false;
        doubts.add("engines:0", "http://a:1");
        await().atMost(LONG).until(() -> asked.size() == 1);
        settle();
        assertThat(asked).hasSize(1);
    }

    @Test
    void asksNothingAtTheEnd() {
        timer.shutdownNow();
        doubts.add("engines:0", "http://a:1");
        assertThat(asked).isEmpty();
    }
}
