/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.update;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.ManualLoop;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.registry.EngineRegistry.Commit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is done in which order, and how it ends, for a fleet of two engines that do as they are told. */
class WeightRolloutTest {
    private static final WeightUpdate UPDATE = WeightUpdate.fromDisk("7", "/weights/7");
    private static final FleetWeights SIX = new FleetWeights(3, "id-6", null, new Weights("6", "/weights/6", null));

    private final ManualLoop loop = new ManualLoop();
    private final List<String> deeds = new ArrayList<>();
    private final Map<Integer, UpdateOutcome> votes = new LinkedHashMap<>();
    private final Map<Integer, UpdateOutcome> loads = new LinkedHashMap<>();
    private final Map<Integer, String> returns = new LinkedHashMap<>();
    private FleetWeights fleet = SIX;
    private String refusal = "";
    private int failingCommits;
    private int unsettledCommits;
    private @Nullable FleetWeights other;

    private final class FakeFleet implements FleetPort {
        @Override
        public CompletableFuture<List<Integer>> ranks() {
            return CompletableFuture.completedFuture(List.of(0, 1));
        }

        @Override
        public CompletableFuture<String> beginChange(String kind, String token, Duration lease) {
            assertThat(kind).contains("version 7");
            assertThat(lease).isGreaterThan(UPDATE.timeout());
            deeds.add("begin");
            return CompletableFuture.completedFuture(refusal);
        }

        @Override
        public CompletableFuture<Void> endChange(String token) {
            deeds.add("end");
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<FleetWeights> weights() {
            return CompletableFuture.completedFuture(fleet);
        }

        @Override
        public CompletableFuture<Map<Integer, UpdateOutcome>> prepare(
                List<Integer> ranks, UpdateNotice notice, Duration longest, Duration lease) {
            assertThat(lease).isGreaterThan(UPDATE.timeout());
            assertThat(longest).isLessThan(UPDATE.timeout());
            deeds.add("prepare " + ranks);
            return CompletableFuture.completedFuture(answers(ranks, votes, Result.READY));
        }

        @Override
        public CompletableFuture<Map<Integer, UpdateOutcome>> apply(
                List<Integer> ranks, String id, WeightUpdate update, Duration longest) {
            deeds.add("apply " + ranks);
            return CompletableFuture.completedFuture(answers(ranks, loads, Result.UPDATED));
        }

        private Map<Integer, UpdateOutcome> answers(
                List<Integer> ranks, Map<Integer, UpdateOutcome> told, Result otherwise) {
            Map<Integer, UpdateOutcome> answers = new LinkedHashMap<>();
            ranks.forEach(rank -> answers.put(rank, told.getOrDefault(rank, UpdateOutcome.of(otherwise, ""))));
            return answers;
        }

        @Override
        public CompletableFuture<Commit> commit(FleetWeights weights, String token) {
            if (failingCommits-- > 0) {
                return CompletableFuture.failedFuture(new WorkerFailure("its process is gone"));
            }
            if (other != null) {
                return CompletableFuture.completedFuture(new Commit(false, false, other));
            }
            if (!weights.equals(fleet)) {
                assertThat(weights.generation()).isEqualTo(fleet.generation() + 1);
                fleet = weights;
                deeds.add("commit " + version(weights) + (weights.alsoId() == null ? "" : " mixing"));
            }
            return CompletableFuture.completedFuture(new Commit(true, unsettledCommits-- <= 0, fleet));
        }

        @Override
        public CompletableFuture<Map<Integer, String>> settle(
                List<Integer> ranks, FleetWeights weights, String id, Duration longest) {
            deeds.add("settle " + ranks + " " + version(weights));
            Map<Integer, String> words = new LinkedHashMap<>();
            ranks.forEach(rank -> words.put(rank, returns.getOrDefault(rank, "")));
            return CompletableFuture.completedFuture(words);
        }
    }

    private static String version(FleetWeights weights) {
        return weights.updated() == null ? "initial" : weights.updated().version();
    }

    private WeightRollout.Done run(WeightUpdate update) {
        CompletableFuture<WeightRollout.Done> done = new WeightRollout(loop, update, new FakeFleet()).run();
        loop.pass(Duration.ofSeconds(10));
        return loop.value(done);
    }

    private String failed(WeightUpdate update, Map<Integer, UpdateOutcome> engines) {
        CompletableFuture<WeightRollout.Done> done = new WeightRollout(loop, update, new FakeFleet()).run();
        loop.pass(Duration.ofMinutes(5));
        CompletableFuture<Map<Integer, UpdateOutcome>> outcomes =
                done.handle((value, failure) -> ((WeightRollout.Failed) EventLoop.unwrapped(failure)).engines());
        engines.putAll(loop.value(outcomes));
        return loop.words(done);
    }

    private static List<Result> results(WeightRollout.Done done) {
        return done.engines().values().stream().map(UpdateOutcome::result).toList();
    }

    @Test
    void frozenEnginesServeOn() {
        votes.put(1, UpdateOutcome.of(Result.FROZEN, ""));
        assertThat(results(run(UPDATE))).containsExactly(Result.UPDATED, Result.FROZEN);
        assertThat(deeds).contains("apply [0]");
        assertThat(results(run(UPDATE.withRolling(true)))).containsExactly(Result.UPDATED, Result.FROZEN);
    }

    @Test
    void aFleetOfFrozenPoolsTakesNoWeights() {
        for (int rank = 0; rank < 2; rank++) {
            votes.put(rank, UpdateOutcome.of(Result.FROZEN, ""));
        }
        assertThat(failed(UPDATE, new LinkedHashMap<>())).contains("no pool has update_weights: true");
        assertThat(failed(UPDATE.withRolling(true), new LinkedHashMap<>()))
                .contains("no pool has update_weights: true");
    }

    @Test
    void allAreReadyLoadAndComeBackTogether() {
        WeightRollout.Done done = run(UPDATE);
        assertThat(deeds)
                .containsExactly("begin", "prepare [0, 1]", "apply [0, 1]", "commit 7", "settle [0, 1] 7", "end");
        assertThat(results(done)).containsOnly(Result.UPDATED);
        assertThat(fleet.generation()).isEqualTo(4);
    }

    @Test
    void nothingHappensWhileAnotherChangeIsUnderWay() {
        refusal = "a change of size is under way";
        assertThat(failed(UPDATE, new LinkedHashMap<>()))
                .contains("a change of size is under way; nothing was changed");
        assertThat(deeds).containsExactly("begin");
    }

    @Test
    void nothingIsTouchedWhenOneRefuses() {
        votes.put(1, UpdateOutcome.of(Result.REFUSED, "there is no folder /weights/7 on node b"));
        Map<Integer, UpdateOutcome> engines = new LinkedHashMap<>();
        assertThat(failed(UPDATE, engines)).contains("it was refused; the fleet keeps version 6");
        assertThat(engines).containsEntry(1, votes.get(1));
        assertThat(deeds).containsExactly("begin", "prepare [0, 1]", "settle [0, 1] 6", "end");
    }

    @Test
    void theFleetStaysAsItWasWhenNoEngineCanLoad() {
        loads.put(0, UpdateOutcome.of(Result.UNCERTAIN, "HTTP 400: shapes"));
        loads.put(1, UpdateOutcome.of(Result.REFUSED, "HTTP 404"));
        Map<Integer, UpdateOutcome> engines = new LinkedHashMap<>();
        assertThat(failed(UPDATE, engines)).contains("no engine could load the weights");
        assertThat(engines).isEqualTo(loads);
        assertThat(deeds).containsExactly("begin", "prepare [0, 1]", "apply [0, 1]", "settle [0, 1] 6", "end");
    }

    @Test
    void withoutAnEngineThatServesThereIsNothingToUpdate() {
        votes.put(0, UpdateOutcome.of(Result.ABSENT, "lost"));
        votes.put(1, UpdateOutcome.of(Result.ABSENT, "lost"));
        assertThat(failed(UPDATE, new LinkedHashMap<>())).contains("no engine serves; the fleet keeps version 6");
        assertThat(failed(UPDATE.withRolling(true), new LinkedHashMap<>())).contains("no engine serves");
        assertThat(deeds).doesNotContain("commit 7");
    }

    @Test
    void theFleetContinuesWithThoseThatLoaded() {
        loads.put(1, UpdateOutcome.of(Result.UNCERTAIN, "connection reset"));
        returns.put(1, "is being brought to version 7");
        WeightRollout.Done done = run(UPDATE);
        assertThat(done.engines().get(1))
                .isEqualTo(UpdateOutcome.of(Result.UNCERTAIN, "connection reset; is being brought to version 7"));
        assertThat(deeds).containsSubsequence("commit 7", "settle [0, 1] 7", "end");
    }

    @Test
    void anEngineThatIsAwayHearsOfItInTheEnd() {
        votes.put(0, UpdateOutcome.of(Result.ABSENT, "the engine does not serve at the moment"));
        assertThat(results(run(UPDATE))).containsExactly(Result.ABSENT, Result.UPDATED);
        assertThat(deeds).containsExactly("begin", "prepare [0, 1]", "apply [1]", "commit 7", "settle [0, 1] 7", "end");
    }

    @Test
    void aRouterWorkerThatIsBeingReplacedIsWaitedFor() {
        failingCommits = 2;
        assertThat(results(run(UPDATE))).containsOnly(Result.UPDATED);
        assertThat(deeds).containsOnlyOnce("commit 7");
    }

    @Test
    void enginesComeBackOnceTheRouterSendsToNoOtherWeights() {
        unsettledCommits = 20;
        CompletableFuture<WeightRollout.Done> done = new WeightRollout(loop, UPDATE, new FakeFleet()).run();
        loop.pass(Duration.ofSeconds(1));
        assertThat(deeds).endsWith("commit 7");
        assertThat(done).isNotDone();
        loop.pass(Duration.ofSeconds(1));
        assertThat(results(loop.value(done))).containsOnly(Result.UPDATED);
        assertThat(loop.value(done).secondsToReturn()).isGreaterThan(1);
    }

    @Test
    void anAnswerThatNeverComesEndsTheUpdateInDoubt() {
        failingCommits = Integer.MAX_VALUE;
        assertThat(failed(UPDATE, new LinkedHashMap<>()))
                .contains(
                        "did not say whether it took them", "its process is gone", "then have what the registry says");
        assertThat(deeds).endsWith("apply [0, 1]", "end");
    }

    @Test
    void aFleetThatHasOtherWeightsMeanwhileKeepsThem() {
        other = new FleetWeights(9, "id-9", null, new Weights("9", "/weights/9", null));
        assertThat(failed(UPDATE, new LinkedHashMap<>()))
                .contains("the fleet was given other weights meanwhile; the fleet keeps version 9");
        assertThat(deeds).endsWith("settle [0, 1] 9", "end");
    }

    @Test
    void rollingTakesOneAfterTheOtherAndMixesMeanwhile() {
        WeightRollout.Done done = run(UPDATE.withRolling(true));
        assertThat(results(done)).containsOnly(Result.UPDATED);
        assertThat(deeds)
                .containsExactly(
                        "begin",
                        "prepare [0]",
                        "apply [0]",
                        "commit 7 mixing",
                        "settle [0] 7",
                        "prepare [1]",
                        "apply [1]",
                        "settle [1] 7",
                        "commit 7",
                        "end");
        assertThat(fleet.alsoId()).isNull();
    }

    @Test
    void rollingEndsWithTheFirstFailureButNotWithALaterOne() {
        loads.put(0, UpdateOutcome.of(Result.UNCERTAIN, "shapes"));
        assertThat(failed(UPDATE.withRolling(true), new LinkedHashMap<>())).contains("the first engine");
        assertThat(deeds).containsExactly("begin", "prepare [0]", "apply [0]", "settle [0, 1] 6", "end");
        loads.clear();
        loads.put(1, UpdateOutcome.of(Result.UNCERTAIN, "killed"));
        WeightRollout.Done done = run(UPDATE.withRolling(true));
        assertThat(results(done)).containsExactly(Result.UPDATED, Result.UNCERTAIN);
        assertThat(deeds).endsWith("commit 7", "settle [1] 7", "end");
    }

    @Test
    void anUpdateWhoseCallerWaitsNoMoreCommitsNothingFurther() {
        failingCommits = 5;
        WeightRollout rollout = new WeightRollout(loop, UPDATE, new FakeFleet());
        CompletableFuture<WeightRollout.Done> done = rollout.run();
        rollout.abandon();
        assertThat(deeds).endsWith("settle [0, 1] 6", "end");
        loop.pass(Duration.ofMinutes(1));
        assertThat(done).isCompletedExceptionally();
        assertThat(deeds).doesNotContain("commit 7");
    }
}
