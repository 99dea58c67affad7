/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.monitor.LastAnswers.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class LastAnswersTest {
    private long now;
    private final LastAnswers<String> answers = new LastAnswers<>(() -> now, Duration.ofSeconds(10));
    private final Map<String, List<CompletableFuture<String>>> asked = new HashMap<>();

    private Map<String, Answer<String>> ask(String... names) throws InterruptedException {
        Map<String, Supplier<CompletableFuture<String>>> questions = new HashMap<>();
        for (String name : names) {
            questions.put(name, () -> {
                CompletableFuture<String> future = new CompletableFuture<>();
                asked.computeIfAbsent(name, key -> new ArrayList<>()).add(future);
                return future;
            });
        }
        answers.ask(questions);
        return answers.answers(Duration.ofMillis(1));
    }

    private List<CompletableFuture<String>> asked(String name) {
        return asked.getOrDefault(name, List.of());
    }

    private void answer(String name, String text) {
        List<CompletableFuture<String>> futures = asked(name);
        boolean unused = futures.get(futures.size() - 1).complete(text);
    }

    private void passes(int seconds) {
        now += Duration.ofSeconds(seconds).toNanos();
    }

    @Test
    void aSlowWorkerKeepsItsAnswerForAWhileAndHasOneOpenQuestion() throws InterruptedException {
        assertThat(ask("a", "b")).isEmpty();
        answer("a", "1");
        answer("b", "1");
        assertThat(ask("a", "b"))
                .containsEntry("a", new Answer<>("1", true))
                .containsEntry("b", new Answer<>("1", true));
        ask("a", "b");
        answer("a", "2");
        passes(5);
        assertThat(ask("a", "b"))
                .containsEntry("a", new Answer<>("2", true))
                .containsEntry("b", new Answer<>("1", false));
        assertThat(asked("b")).as("one question is open").hasSize(2);

        passes(6);
        assertThat(ask("a", "b")).as("it does not answer").doesNotContainKey("b");
        assertThat(asked("b")).as("it is asked again").hasSize(3);
        answer("b", "3");
        assertThat(ask("a", "b")).containsEntry("b", new Answer<>("3", true));
    }

    @Test
    void aFailureIsNoAnswerAtOnce() throws InterruptedException {
        ask("a");
        answer("a", "1");
        ask("a");
        ask("a");
        boolean unused = asked("a").get(1).completeExceptionally(new IllegalStateException("it is gone"));
        assertThat(ask("a")).isEmpty();
    }

    @Test
    void aWorkerThatIsNotAskedAnyMoreIsForgotten() throws InterruptedException {
        ask("a");
        answer("a", "1");
        assertThat(ask("a")).hasSize(1);
        assertThat(ask()).isEmpty();
        assertThat(ask("a")).isEmpty();
    }
}
