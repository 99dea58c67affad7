/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class QuestionsTest {
    private final List<String> said = new ArrayList<>();
    private final AtomicLong now = new AtomicLong();
    private final Questions<Integer> questions =
            new Questions<>(said::add, Duration.ofMillis(1), Duration.ofSeconds(10), now::get);
    private final Map<String, Supplier<CompletableFuture<Integer>>> workers = new LinkedHashMap<>();
    private int asked;

    private void answers(String name, int answer) {
        workers.put(name, () -> CompletableFuture.completedFuture(answer));
    }

    private CompletableFuture<Integer> hangs(String name) {
        CompletableFuture<Integer> never = new CompletableFuture<>();
        workers.put(name, () -> {
            asked++;
            return never;
        });
        return never;
    }

    @Test
    void aWorkerThatHangsHasOneOpenQuestionAndHoldsUpNoOther() throws InterruptedException {
        answers("engine 0", 5);
        CompletableFuture<Integer> late = hangs("engine 1");

        assertThat(questions.ask(workers)).containsExactly(Map.entry("engine 0", 5));
        assertThat(questions.ask(workers)).containsExactly(Map.entry("engine 0", 5));
        assertThat(asked).isEqualTo(1);
        assertThat(said).as("slow is not away").isEmpty();
        now.addAndGet(Duration.ofSeconds(11).toNanos());
        questions.ask(workers);
        questions.ask(workers);
        assertThat(said).containsExactly("engine 1 is away: it does not answer");
        late.complete(7);
        assertThat(questions.ask(workers)).containsEntry("engine 1", 7);
        assertThat(said).hasSize(2).element(1).isEqualTo("engine 1 answers again");
        questions.ask(workers);
        assertThat(asked).as("it is asked again").isEqualTo(2);
    }

    @Test
    void aFailureIsSaidOnceAndTheWorkerAskedAgain() throws InterruptedException {
        workers.put("router", () -> CompletableFuture.failedFuture(new IllegalStateException("it died\nat once")));
        questions.ask(workers);
        assertThat(questions.ask(workers)).isEmpty();
        workers.put("router", () -> {
            throw new IllegalStateException("no actor");
        });
        questions.ask(workers);
        assertThat(said).containsExactly("router is away: it died");
        answers("router", 1);
        assertThat(questions.ask(workers)).containsOnlyKeys("router");
        assertThat(said).element(1).isEqualTo("router answers again");
    }

    @Test
    void aWorkerThatIsGoneIsSaidAndItsSuccessorAsked() throws InterruptedException {
        CompletableFuture<Integer> unused = hangs("engine 1");
        questions.ask(workers);
        workers.clear();
        questions.ask(workers);
        assertThat(said).containsExactly("engine 1 is away: it is gone");
        answers("engine 1", 3);
        assertThat(questions.ask(workers)).as("not the open question").containsEntry("engine 1", 3);
    }

    @Test
    void anInterruptEndsTheWait() {
        CompletableFuture<Integer> unused = hangs("engine 0");
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> questions.ask(workers)).isInstanceOf(InterruptedException.class);
    }
}
