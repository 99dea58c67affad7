/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** One question after the other to each actor, until it dies. */
class EngineWatchTest {
    private final List<String> asked = new ArrayList<>();
    private final List<CompletableFuture<String>> answers = new ArrayList<>();
    private final List<String> dead = new ArrayList<>();
    private boolean there = true;
    private final EngineWatch watch = new EngineWatch(Runnable::run, this::ask, dead::add);

    private Optional<CompletableFuture<String>> ask(String actor) {
        if (!there) {
            return Optional.empty();
        }
        asked.add(actor);
        answers.add(new CompletableFuture<>());
        return Optional.of(last());
    }

    private CompletableFuture<String> last() {
        return answers.get(answers.size() - 1);
    }

    @Test
    void asksAgainAsLongAsItLives() {
        watch.watch("engines:0");
        last().complete("alive");
        last().complete("alive");
        assertThat(asked).containsExactly("engines:0", "engines:0", "engines:0");
        assertThat(dead).isEmpty();
    }

    @Test
    void asksEachActorOnce() {
        watch.watch("engines:0");
        watch.watch("engines:1");
        watch.watch("engines:0");
        assertThat(asked).containsExactly("engines:0", "engines:1");
    }

    @Test
    void tellsADeathOnceAndWatchesTheSuccessorWhenTold() {
        watch.watch("engines:0");
        last().completeExceptionally(new IllegalStateException("the actor died"));
        assertThat(dead).containsExactly("engines:0");
        assertThat(asked).hasSize(1);
        watch.watch("engines:0");
        assertThat(asked).hasSize(2);
    }

    @Test
    void anEndThatWasWantedIsNoDeath() {
        watch.watch("engines:0");
        last().complete("ended");
        assertThat(dead).isEmpty();
        assertThat(asked).hasSize(1);
    }

    @Test
    void whoIsNotThereIsNotWatched() {
        there = false;
        watch.watch("engines:0");
        there = true;
        watch.watch("engines:0");
        assertThat(asked).hasSize(1);
    }

    @Test
    void tellsNothingOnceClosed() {
        watch.watch("engines:0");
        watch.close();
        last().completeExceptionally(new IllegalStateException("the actor died"));
        watch.watch("engines:1");
        assertThat(dead).isEmpty();
        assertThat(asked).containsExactly("engines:0");
    }
}
