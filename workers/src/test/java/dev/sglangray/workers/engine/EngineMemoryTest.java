/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What a worker does with its engine's memory. */
class EngineMemoryTest {
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final String RELEASE = "/release_memory_occupation";
    private static final String RESUME = "/resume_memory_occupation";
    private static final String LOAD = "/update_weights_from_disk";

    private final EngineFixture fixture = new EngineFixture();

    private boolean settled(CompletableFuture<Boolean> future) {
        fixture.loop.pass(Duration.ofSeconds(1));
        return fixture.loop.value(future);
    }

    private String refused(CompletableFuture<Boolean> future, Duration after) {
        fixture.loop.pass(after);
        return fixture.loop.words(future);
    }

    private EngineController released() {
        EngineController engine = fixture.serving();
        assertThat(settled(engine.release(List.of(), SOON))).isTrue();
        return engine;
    }

    @Test
    void memoryIsReleasedOnceAndTheRouterKnowsFirst() {
        fixture.keepsWeights = true;
        EngineController engine = released();
        assertThat(settled(engine.release(List.of("weights"), SOON))).isTrue();
        assertThat(fixture.deeds).startsWith("report: out", RELEASE);
        assertThat(fixture.done()).containsExactly(RELEASE);
        assertThat(engine.isWithheld()).isTrue();

        assertThat(settled(engine.resume(List.of("weights"), SOON))).isTrue();
        assertThat(engine.conditions()).containsExactly("memory released: kv_cache, cuda_graph");
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done())
                .containsExactly(RELEASE, RESUME + " {tags=[weights]}", RESUME + " {tags=[kv_cache, cuda_graph]}");
        assertThat(engine.conditions()).isEmpty();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void nothingIsReleasedWhileThereAreRequestsAndTheEngineServesOn() {
        EngineController engine = fixture.serving();
        fixture.requests = OptionalInt.of(2);
        assertThat(refused(engine.release(List.of(), Duration.ofMillis(300)), SOON))
                .contains("still has 2 request(s) after 0.3 s; nothing was released");
        assertThat(fixture.done()).isEmpty();
        assertThat(engine.conditions()).isEmpty();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void requestsThatEndInTimeAreWaitedFor() {
        EngineController engine = fixture.serving();
        fixture.requests = OptionalInt.of(1);
        CompletableFuture<Boolean> release = engine.release(List.of(), SOON);
        fixture.loop.pass(Duration.ofSeconds(2));
        assertThat(fixture.done()).isEmpty();
        fixture.requests = OptionalInt.of(0);
        assertThat(settled(release)).isTrue();
    }

    @Test
    void anEngineThatCannotTellItsRequestsMustBePausedFirst() {
        EngineController engine = fixture.serving();
        fixture.requests = OptionalInt.empty();
        assertThat(refused(engine.release(List.of(), SOON), SOON))
                .contains("has no /v1/loads", "nothing was released", "pauseGeneration with ABORT");
        assertThat(fixture.done()).isEmpty();
        assertThat(settled(engine.pause(PauseMode.ABORT, SOON))).isTrue();
        assertThat(settled(engine.release(List.of(), SOON))).isTrue();
        assertThat(fixture.done(RELEASE)).hasSize(1);
    }

    @Test
    void aCountOfRequestsThatFailsReleasesNothingEvenWhilePaused() {
        EngineController engine = fixture.serving();
        fixture.requestsFailure = "GET /v1/loads failed: HTTP 500";
        assertThat(settled(engine.pause(PauseMode.ABORT, SOON))).isTrue();
        assertThat(refused(engine.release(List.of(), SOON), SOON)).isEqualTo("GET /v1/loads failed: HTTP 500");
        assertThat(fixture.done(RELEASE)).isEmpty();
        assertThat(engine.record().released().isNothing()).isTrue();
    }

    @Test
    void anEngineThatCanReleaseNothingSaysWhy() {
        EngineController engine = fixture.serving();
        fixture.releaseRefusal = Optional.of("the engine runs on a CPU");
        assertThat(refused(engine.release(List.of(), SOON), SOON)).isEqualTo("the engine runs on a CPU");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aRefusedReleaseLeavesTheEngineServing() {
        EngineController engine = fixture.serving();
        fixture.answer(RELEASE, 400, "{\"error\": \"no\"}");
        assertThat(refused(engine.release(List.of(), SOON), SOON)).contains("HTTP 400");
        assertThat(engine.isServed()).isTrue();
        assertThat(fixture.kept).extracting(EngineRecord::released).isEqualTo(ReleasedMemory.NOTHING);
    }

    @Test
    void nothingIsReleasedWhileTheRegistryIsSilent() {
        EngineController engine = fixture.serving();
        fixture.registryAnswers = false;
        assertThat(refused(engine.release(List.of(), SOON), SOON))
                .contains("no reply from the router's worker", "may still get requests");
        assertThat(fixture.done()).isEmpty();
    }

    @Test
    void nothingIsReleasedWhileTheEngineIsStarting() {
        EngineController engine = fixture.serving();
        CompletableFuture<Void> start = new CompletableFuture<>();
        fixture.startBlocks = start;
        engine.exited(0, false, "killed");
        fixture.loop.run();
        assertThat(refused(engine.release(List.of(), SOON), SOON))
                .contains("still starting after 5 s", "nothing was changed");
        assertThat(engine.record().released().isNothing()).isTrue();
        start.complete(null);
        fixture.loop.run();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aStartThatEndsInTimeIsWaitedFor() {
        EngineController engine = fixture.serving();
        CompletableFuture<Void> start = new CompletableFuture<>();
        fixture.startBlocks = start;
        engine.exited(0, false, "killed");
        fixture.loop.run();
        CompletableFuture<Boolean> release = engine.release(List.of(), SOON);
        fixture.loop.pass(Duration.ofSeconds(1));
        start.complete(null);
        assertThat(settled(release)).isTrue();
        assertThat(fixture.done(RELEASE)).hasSize(1);
    }

    @Test
    void anEngineThatDiesWithoutItsMemoryComesBackWithTheResume() {
        EngineController engine = released();
        engine.exited(0, false, "killed");
        fixture.loop.pass(Duration.ofMinutes(1));
        assertThat(engine.standing().startBlocked()).isTrue();
        assertThat(fixture.done("start")).isEmpty();
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done("start")).containsExactly("start 1");
        assertThat(fixture.done(RESUME)).isEmpty();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void anEngineThatWaitsForItsStartReleasesAtOnce() {
        EngineController engine = fixture.serving();
        fixture.starts = false;
        engine.exited(0, false, "killed");
        fixture.loop.run();
        assertThat(fixture.done("start")).hasSize(1);
        assertThat(settled(engine.release(List.of("weights"), SOON))).isTrue();
        fixture.starts = true;
        fixture.loop.pass(Duration.ofMinutes(1));
        assertThat(fixture.done()).containsExactly("start 1");
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done()).containsExactly("start 1", "start 2");
    }

    @Test
    void aLostAnswerIsPutRightByANewProcess() {
        EngineController engine = fixture.serving();
        fixture.loseAnswers(RELEASE);
        assertThat(refused(engine.release(List.of(), SOON), SOON))
                .contains("did not answer " + RELEASE, "not known what it has released", "resumeMemory");
        assertThat(fixture.kept)
                .extracting(record -> record.released().uncertain())
                .isEqualTo(true);
        assertThat(engine.conditions()).containsExactly("memory released: kv_cache, weights, cuda_graph (uncertain)");
        assertThat(fixture.lastReport().serves()).isFalse();
        assertThat(refused(engine.release(List.of(), SOON), SOON)).contains("an earlier answer was lost");

        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done()).containsExactly(RELEASE, "end 0", "start 1");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aLostAnswerToAResumeIsPutRightTheSameWay() {
        EngineController engine = released();
        fixture.loseAnswers(RESUME);
        assertThat(refused(engine.resume(List.of(), SOON), SOON)).contains("did not answer " + RESUME);
        assertThat(fixture.lastReport().serves()).isFalse();
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done("start")).containsExactly("start 1");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aProcessThatDiesWhileItReleasesHasReleased() {
        EngineController engine = fixture.serving();
        fixture.loseAnswers(RELEASE);
        // Its connections end first.
        fixture.meanwhile.put(
                RELEASE, () -> fixture.loop.schedule(Duration.ofMillis(300), () -> engine.exited(0, false, "killed")));
        assertThat(settled(engine.release(List.of(), SOON))).isTrue();
        assertThat(engine.record().released()).isEqualTo(new ReleasedMemory(ReleasedMemory.ALL, false));
        assertThat(fixture.done("start")).isEmpty();
    }

    @Test
    void releasedWeightsWithoutACopyAreLoadedBeforeTheEngineServes() {
        EngineController engine = released();
        fixture.deeds.clear();
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.deeds).filteredOn("report: serves"::equals).hasSize(1);
        assertThat(fixture.deeds).containsSubsequence(RESUME, "report: serves");
        assertThat(fixture.done()).hasSize(2).last().asString().startsWith(LOAD).contains("model_path=/model,");
        int load = fixture.deeds.indexOf(fixture.done(LOAD).get(0));
        assertThat(fixture.deeds.indexOf("report: serves")).isGreaterThan(load);
        assertThat(engine.weightVersion()).isEqualTo("default");
    }

    @Test
    void theyAreLoadedFromTheFleetsPath() {
        fixture.fleet = FleetWeights.INITIAL.next("id-7", new Weights("7", "/weights/7", "auto"), false);
        EngineController engine = fixture.serving();
        assertThat(settled(engine.release(List.of("weights"), SOON))).isTrue();
        fixture.deeds.clear();
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done(LOAD))
                .containsExactly(
                        LOAD + " {flush_cache=true, load_format=auto, model_path=/weights/7, weight_version=7}");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void whereTheyCannotBeLoadedTheEngineStaysOutUntilAnUpdate() {
        EngineController engine = fixture.serving();
        WeightUpdate first = WeightUpdate.fromTensors("8", List.of(Map.of("serialized_named_tensors", List.of("a"))));
        update(engine, "id-8", first);
        assertThat(engine.isServed()).isTrue();
        assertThat(settled(engine.release(List.of(), SOON))).isTrue();
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(engine.isServed()).isFalse();
        assertThat(fixture.lastReport().serves()).isFalse();
        assertThat(engine.conditions())
                .singleElement()
                .asString()
                .contains("cannot be loaded again", "stays out of the router until the next update");

        update(
                engine,
                "id-9",
                WeightUpdate.fromTensors("9", List.of(Map.of("serialized_named_tensors", List.of("b")))));
        assertThat(engine.isServed()).isTrue();
        assertThat(engine.conditions()).isEmpty();
        assertThat(fixture.done("start")).isEmpty();
    }

    private void update(EngineController engine, String id, WeightUpdate update) {
        UpdateNotice notice = new UpdateNotice(id, update.version(), update.path(), update.inFlight());
        CompletableFuture<?> prepared = engine.prepare(notice, SOON, Duration.ofMinutes(1));
        fixture.loop.pass(Duration.ofSeconds(1));
        assertThat(prepared).isCompleted();
        CompletableFuture<Result> applied = engine.apply(id, update, SOON).thenApply(outcome -> outcome.result());
        assertThat(fixture.loop.value(applied)).isEqualTo(Result.UPDATED);
        fixture.fleet = fixture.fleet.next(id, update.weights(), false);
        assertThat(fixture.loop.value(engine.settle(fixture.fleet, id, SOON))).isEmpty();
    }

    @Test
    void withACopyOfItsWeightsTheEngineServesAtOnce() {
        fixture.keepsWeights = true;
        EngineController engine = released();
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done(LOAD)).isEmpty();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void weightsThatStayAreNotLoadedAgain() {
        EngineController engine = fixture.serving();
        assertThat(settled(engine.release(List.of("kv_cache"), SOON))).isTrue();
        assertThat(settled(engine.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done()).containsExactly(RELEASE + " {tags=[kv_cache]}", RESUME + " {tags=[kv_cache]}");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aSuccessorStartsNoEngineBeforeTheResume() {
        EngineController dead = released();
        var unused = dead.resize(5);
        fixture.loop.run();
        fixture.deeds.clear();
        EngineController successor = fixture.controller(true);
        fixture.url = null;
        assertThat(successor.inherit()).isTrue();
        fixture.loop.pass(Duration.ofMinutes(5));
        assertThat(fixture.done()).isEmpty();
        assertThat(successor.record().groupSize()).isEqualTo(5);
        assertThat(successor.conditions()).containsExactly("memory released: kv_cache, weights, cuda_graph");
        assertThat(settled(successor.resume(List.of(), SOON))).isTrue();
        assertThat(fixture.done("start")).containsExactly("start 1");
        assertThat(successor.isServed()).isTrue();
    }
}
