/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.InFlightPolicy;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.supervision.Signal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** How an engine gets other weights, by an update or by itself. */
class EngineUpdateTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final Duration LEASE = Duration.ofMinutes(1);
    private static final String LOAD = "/update_weights_from_disk";
    private static final WeightUpdate SEVEN = WeightUpdate.fromDisk("7", "/weights/7");

    private final EngineFixture fixture = new EngineFixture();

    private <T> T value(CompletableFuture<T> future) {
        fixture.loop.pass(SECOND);
        return fixture.loop.value(future);
    }

    private static UpdateNotice notice(String id, WeightUpdate update) {
        return new UpdateNotice(id, update.version(), update.path(), update.inFlight());
    }

    private UpdateOutcome prepared(EngineController engine, String id, WeightUpdate update) {
        return value(engine.prepare(notice(id, update), SOON, LEASE));
    }

    private UpdateOutcome updated(EngineController engine, String id, WeightUpdate update) {
        assertThat(prepared(engine, id, update).result()).isEqualTo(Result.READY);
        UpdateOutcome outcome = fixture.loop.value(engine.apply(id, update, SOON));
        if (outcome.is(Result.UPDATED)) {
            fixture.fleet = fixture.fleet.next(id, update.weights(), false);
        }
        String unused = fixture.loop.value(engine.settle(fixture.fleet, id, SOON));
        return outcome;
    }

    @Test
    void newWeightsAreLoadedOutsideTheRouter() {
        EngineController engine = fixture.serving();
        assertThat(updated(engine, "id-7", SEVEN).result()).isEqualTo(Result.UPDATED);
        assertThat(fixture.done())
                .containsExactly(LOAD + " {flush_cache=true, model_path=/weights/7, weight_version=7}");
        assertThat(fixture.deeds).startsWith("report: out", fixture.done().get(0));
        assertThat(fixture.lastReport().weightsId()).isEqualTo("id-7");
        assertThat(engine.weightVersion()).isEqualTo("7");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void anEngineWhosePoolIsFrozenTakesNoPartInAnUpdate() {
        fixture.updateWeights = false;
        EngineController engine = fixture.serving();
        assertThat(prepared(engine, "id-7", SEVEN).result()).isEqualTo(Result.FROZEN);
        fixture.fleet = fixture.fleet.next("id-7", SEVEN.weights(), false);
        assertThat(fixture.loop.value(engine.settle(fixture.fleet, "id-7", SOON)))
                .isEmpty();
        engine.reportAgain();
        fixture.loop.pass(SOON);
        assertThat(fixture.done()).isEmpty();
        assertThat(engine.isServed()).isTrue();
        assertThat(fixture.lastReport().weightsId()).isEqualTo(FleetWeights.INITIAL_ID);
    }

    @Test
    void bucketsAreSentInOneSessionAndTheLastOneNamesTheVersion() {
        EngineController engine = fixture.serving();
        WeightUpdate update = WeightUpdate.fromTensors("8", List.of(Map.of("tensors", "a"), Map.of("tensors", "b")));
        assertThat(updated(engine, "id-8", update).result()).isEqualTo(Result.UPDATED);
        assertThat(fixture.done())
                .containsExactly(
                        "/begin_weight_update",
                        "/update_weights_from_tensor {flush_cache=false, tensors=a}",
                        "/update_weights_from_tensor {flush_cache=true, tensors=b, weight_version=8}",
                        "/end_weight_update");
    }

    @Test
    void anEngineWithoutSessionsGetsBucketsWithoutOne() {
        EngineController engine = fixture.serving();
        fixture.answer("/begin_weight_update", 404, "");
        WeightUpdate update = WeightUpdate.fromTensors("8", List.of(Map.of("tensors", "a")));
        assertThat(updated(engine, "id-8", update).result()).isEqualTo(Result.UPDATED);
        assertThat(fixture.done("/end_weight_update")).isEmpty();
    }

    @Test
    void anAnswerWithoutSuccessIsUncertainWhateverItsCode() {
        EngineController engine = fixture.serving();
        fixture.answer(LOAD, 200, "{\"success\": false, \"message\": \"shapes\"}");
        assertThat(prepared(engine, "id-7", SEVEN).result()).isEqualTo(Result.READY);
        UpdateOutcome outcome = fixture.loop.value(engine.apply("id-7", SEVEN, SOON));
        assertThat(outcome.result()).isEqualTo(Result.UNCERTAIN);
        assertThat(outcome.detail()).contains("shapes");
        assertThat(engine.weightsId()).isNull();
        assertThat(engine.weightVersion()).isNull();
    }

    @Test
    void aRestartedEngineLoadsTheFleetsWeightsBeforeItServes() {
        EngineController engine = fixture.serving();
        updated(engine, "id-7", SEVEN);
        fixture.deeds.clear();
        engine.signal(new Signal.Exited(0, false, "killed"));
        fixture.loop.pass(SECOND);
        assertThat(fixture.done()).hasSize(2).first().isEqualTo("start 1");
        assertThat(fixture.done(LOAD)).singleElement().asString().contains("/weights/7");
        assertThat(fixture.deeds).endsWith("report: serves");
        assertThat(fixture.done("report: serves")).hasSize(1);
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void anEngineThatCannotHaveTheFleetsWeightsStaysOutAndSaysWhy() {
        EngineController engine = fixture.serving();
        updated(engine, "id-9", WeightUpdate.fromTensors("9", List.of(Map.of("tensors", "a"))));
        engine.signal(new Signal.Exited(0, false, "killed"));
        fixture.loop.pass(Duration.ofMinutes(5));
        assertThat(engine.conditions()).singleElement().asString().contains("cannot be loaded again");
        assertThat(engine.isServed()).isFalse();
        assertThat(fixture.done("start")).as("a new process would not help").containsExactly("start 1");
    }

    @Test
    void unknownWeightsAreClearedUpByOneNewProcess() {
        EngineController engine = fixture.serving();
        fixture.answer(LOAD, 400, "{\"success\": false, \"message\": \"Rolling back\"}");
        assertThat(updated(engine, "id-7", SEVEN).result()).isEqualTo(Result.UNCERTAIN);
        fixture.loop.pass(SECOND);
        assertThat(fixture.done("start")).containsExactly("start 1");
        assertThat(engine.weightVersion()).isEqualTo("default");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aLoadThatWasNotAnsweredTakesANewProcessEachTime() {
        EngineController engine = fixture.serving();
        fixture.loseAnswers(LOAD);
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), false);
        engine.reportAgain();
        fixture.loop.pass(Duration.ofMinutes(3));
        assertThat(fixture.done("start")).hasSizeGreaterThan(1);
        assertThat(engine.isServed()).isFalse();
        fixture.answers.clear();
        fixture.loop.pass(Duration.ofMinutes(1));
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aNewProcessLoadsAtOnceHoweverOftenEarlierOnesFailed() {
        EngineController engine = fixture.serving();
        fixture.loseAnswers(LOAD);
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), false);
        engine.reportAgain();
        fixture.loop.pass(Duration.ofMinutes(5));
        int starts = fixture.done("start").size();
        fixture.answers.clear();
        for (int i = 0; i < 120 && fixture.done("start").size() == starts; i++) {
            fixture.loop.pass(SECOND);
        }
        fixture.loop.pass(Duration.ofSeconds(3));
        assertThat(fixture.done("start")).hasSize(starts + 1);
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void anUpdateDoesNotMeetAnEarlierLoadThatMayStillHappen() {
        EngineController engine = fixture.serving();
        // Where memory is lent no new process starts.
        assertThat(value(engine.release(List.of("kv_cache"), SOON))).isTrue();
        fixture.loseAnswers(LOAD);
        assertThat(updated(engine, "id-7", SEVEN).result()).isEqualTo(Result.UNCERTAIN);
        fixture.answers.clear();
        UpdateOutcome outcome = updated(engine, "id-8", WeightUpdate.fromDisk("8", "/weights/8"));
        assertThat(outcome.result()).isEqualTo(Result.ABSENT);
        assertThat(outcome.detail()).contains("may still be under way");
        assertThat(value(engine.resume(List.of(), SOON))).isTrue();
        fixture.loop.pass(SOON);
        assertThat(fixture.done("start")).containsExactly("start 1");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void releasedWeightsAreNotLoadedWhereAnEarlierLoadMayStillHappen() {
        EngineController engine = fixture.serving();
        assertThat(value(engine.release(List.of("kv_cache"), SOON))).isTrue();
        fixture.loseAnswers(LOAD);
        assertThat(updated(engine, "id-7", SEVEN).result()).isEqualTo(Result.UNCERTAIN);
        fixture.answers.clear();
        assertThat(value(engine.release(List.of(), SOON))).isTrue();
        assertThat(value(engine.resume(List.of(), SOON))).isTrue();
        fixture.loop.pass(SOON);
        assertThat(fixture.done("start")).containsExactly("start 1");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aNewProcessIsNotStartedAgainForTheSameWeights() {
        EngineController engine = fixture.serving();
        fixture.answer(LOAD, 500, "half-way");
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), false);
        engine.reportAgain();
        fixture.loop.pass(Duration.ofMinutes(3));
        assertThat(fixture.done("start")).containsExactly("start 1");
        assertThat(fixture.done(LOAD)).hasSizeGreaterThan(2);
        assertThat(engine.conditions()).singleElement().asString().contains("could not load the fleet's weights");
        fixture.answers.clear();
        fixture.loop.pass(Duration.ofMinutes(1));
        assertThat(engine.isServed()).isTrue();
        assertThat(engine.conditions()).isEmpty();
    }

    @Test
    void aRefusalLeavesTheEngineAsItIs() {
        EngineController engine = fixture.serving();
        fixture.answer(LOAD, 400, "{\"success\": false, \"message\": \"Failed to get weights iterator\"}");
        assertThat(updated(engine, "id-7", SEVEN).result()).isEqualTo(Result.REFUSED);
        assertThat(engine.isServed()).isTrue();
        fixture.answer(LOAD, 404, "");
        assertThat(updated(engine, "id-8", SEVEN).detail()).contains("this engine has no " + LOAD);
        assertThat(engine.isServed()).isTrue();
        assertThat(fixture.done("start")).isEmpty();
    }

    @Test
    void whatCannotWorkIsRefusedBeforeAnythingHappens() {
        EngineController engine = fixture.serving();
        fixture.updateRefusal = Optional.of("there is no folder /weights/7 on node a");
        assertThat(prepared(engine, "id-7", SEVEN))
                .isEqualTo(UpdateOutcome.of(Result.REFUSED, "there is no folder /weights/7 on node a"));
        assertThat(fixture.deeds).isEmpty();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void anEngineWithoutTheMemoryOfItsWeightsRefuses() {
        EngineController engine = fixture.serving();
        assertThat(value(engine.release(List.of(), SOON))).isTrue();
        assertThat(prepared(engine, "id-7", SEVEN).detail()).contains("resume it first (resumeMemory)");
    }

    @Test
    void anEngineThatKeepsItsRequestsRefusesAndServesOn() {
        EngineController engine = fixture.serving();
        fixture.requests = OptionalInt.of(3);
        CompletableFuture<UpdateOutcome> prepare = engine.prepare(notice("id-7", SEVEN), SOON, LEASE);
        fixture.loop.pass(SOON.plus(SECOND));
        assertThat(fixture.loop.value(prepare).result()).isEqualTo(Result.REFUSED);
        assertThat(fixture.loop.value(prepare).detail()).contains("still has 3 request(s)", "nothing was updated");
        assertThat(engine.isServed()).isTrue();
        assertThat(engine.conditions()).isEmpty();
    }

    @Test
    void anUpdateThatIsNotEndedIsOverWithItsLeaseAndTheRegistrysWordCounts() {
        EngineController engine = fixture.serving();
        assertThat(prepared(engine, "id-7", SEVEN).result()).isEqualTo(Result.READY);
        assertThat(fixture.loop.value(engine.apply("id-7", SEVEN, SOON)).result())
                .isEqualTo(Result.UPDATED);
        assertThat(engine.conditions()).first().isEqualTo("weights are replaced by version 7");
        fixture.loop.pass(LEASE);
        fixture.loop.pass(SECOND);
        assertThat(fixture.done(LOAD)).last().asString().contains("model_path=/model,");
        assertThat(engine.weightVersion()).isEqualTo("default");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void requestsUnderWayStayWhenAskedAndTheirCacheToo() {
        EngineController engine = fixture.serving();
        fixture.requests = OptionalInt.of(3);
        assertThat(updated(engine, "id-7", SEVEN.withInFlight(InFlightPolicy.IN_PLACE))
                        .result())
                .isEqualTo(Result.UPDATED);
        assertThat(fixture.done())
                .containsExactly(
                        "/pause_generation {mode=in_place}",
                        LOAD + " {flush_cache=false, model_path=/weights/7, weight_version=7}",
                        "/continue_generation");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void requestsUnderWayEndWhenAsked() {
        EngineController engine = fixture.serving();
        assertThat(updated(engine, "id-7", SEVEN.withInFlight(InFlightPolicy.ABORT))
                        .result())
                .isEqualTo(Result.UPDATED);
        assertThat(fixture.done()).first().isEqualTo("/abort_request {abort_all=true, rid=}");
    }

    @Test
    void aPauseForAnUpdateEndsWithItsLease() {
        EngineController engine = fixture.serving();
        assertThat(prepared(engine, "id-7", SEVEN.withInFlight(InFlightPolicy.RETRACT))
                        .result())
                .isEqualTo(Result.READY);
        fixture.deeds.clear();
        fixture.loop.pass(LEASE);
        assertThat(fixture.deeds).containsSubsequence("/continue_generation", "report: serves");
        assertThat(fixture.done("/continue_generation")).hasSize(1);
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aLostAnswerToAPauseForAnUpdateEndsInANewProcess() {
        EngineController engine = fixture.serving();
        fixture.loseAnswers("/pause_generation");
        UpdateOutcome outcome = prepared(engine, "id-7", SEVEN.withInFlight(InFlightPolicy.RETRACT));
        assertThat(outcome.result()).isEqualTo(Result.REFUSED);
        assertThat(outcome.detail()).contains("did not answer /pause_generation");
        fixture.loop.pass(SECOND);
        assertThat(fixture.done("start")).containsExactly("start 1");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aCallersPauseDecidesWhatBecomesOfRequests() {
        EngineController engine = fixture.serving();
        assertThat(value(engine.pause(PauseMode.IN_PLACE, SOON))).isTrue();
        fixture.deeds.clear();
        fixture.requests = OptionalInt.of(3);
        assertThat(updated(engine, "id-7", SEVEN).result()).isEqualTo(Result.UPDATED);
        assertThat(fixture.done())
                .containsExactly(LOAD + " {flush_cache=false, model_path=/weights/7, weight_version=7}");
        assertThat(engine.record().paused()).isEqualTo(PauseMode.IN_PLACE);
    }

    @Test
    void twoUpdatesAtOnceDoNotMeet() {
        EngineController engine = fixture.serving();
        WeightUpdate eight = WeightUpdate.fromDisk("8", "/weights/8");
        assertThat(prepared(engine, "id-7", SEVEN).result()).isEqualTo(Result.READY);
        assertThat(prepared(engine, "id-8", eight).detail()).contains("another update is under way");
        assertThat(value(engine.settle(FleetWeights.INITIAL, "id-8", SOON))).contains("another update is under way");
        assertThat(engine.conditions()).containsExactly("weights are replaced by version 7");
        assertThat(prepared(engine, "id-7", SEVEN).result()).isEqualTo(Result.READY);
        assertThat(fixture.loop.value(engine.apply("id-8", eight, SOON)).result())
                .isEqualTo(Result.ABSENT);
    }

    @Test
    void anEngineThatDoesNotServeIsAbsentAndGetsTheWeightsLater() {
        EngineController engine = fixture.serving();
        CompletableFuture<Void> start = new CompletableFuture<>();
        fixture.startBlocks = start;
        engine.signal(new Signal.Exited(0, false, "killed"));
        fixture.loop.run();
        assertThat(prepared(engine, "id-7", SEVEN).result()).isEqualTo(Result.ABSENT);
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), false);
        assertThat(value(engine.settle(fixture.fleet, "id-7", SOON))).contains("is being brought to version 7");
        start.complete(null);
        fixture.loop.pass(SECOND);
        assertThat(fixture.done(LOAD)).hasSize(1);
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void anEngineThatLearnsOfOtherWeightsLeavesTheRouterBeforeItLoads() {
        EngineController engine = fixture.serving();
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), false);
        fixture.loop.pass(RegistrationReporter.HEARTBEAT.plus(SECOND));
        String load = fixture.done(LOAD).get(0);
        assertThat(fixture.deeds).containsSubsequence("report: out", load, "report: serves");
        assertThat(fixture.done("report: serves"))
                .as("the heartbeat, and the return")
                .hasSize(2);
        assertThat(engine.weightVersion()).isEqualTo("7");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void itLoadsNothingWhileTheRegistryMaySendRequests() {
        EngineController engine = fixture.serving();
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), false);
        // The answer to this still comes, and no later one.
        engine.reportAgain();
        fixture.registryAnswers = false;
        fixture.loop.pass(Duration.ofSeconds(30));
        assertThat(fixture.lastReport().serves()).isFalse();
        assertThat(fixture.done(LOAD)).isEmpty();
    }

    @Test
    void whileWeightsMayMixEitherServes() {
        EngineController engine = fixture.serving();
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), true);
        fixture.loop.pass(RegistrationReporter.HEARTBEAT.plus(SECOND));
        assertThat(fixture.done()).isEmpty();
        assertThat(engine.isServed()).isTrue();
        fixture.fleet = fixture.fleet.alone();
        fixture.loop.pass(RegistrationReporter.HEARTBEAT.plus(SECOND));
        assertThat(engine.weightsId()).isEqualTo("id-7");
    }

    @Test
    void aLoadThatIsRefusedIsRepeatedLessAndLessOften() {
        EngineController engine = fixture.serving();
        fixture.answer(LOAD, 400, "Failed to get weights iterator");
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), false);
        engine.reportAgain();
        fixture.loop.pass(Duration.ofMinutes(2));
        assertThat(fixture.done(LOAD)).hasSizeBetween(5, 9);
        assertThat(fixture.done("start")).isEmpty();
        assertThat(fixture.events)
                .filteredOn(event -> event.contains("could not load the fleet's weights"))
                .as("told once")
                .hasSize(1);
        fixture.answers.clear();
        fixture.fleet = fixture.fleet.next("id-8", new Weights("8", "/weights/8", null), false);
        fixture.loop.pass(RegistrationReporter.HEARTBEAT.multipliedBy(2));
        assertThat(engine.weightVersion()).isEqualTo("8");
    }

    @Test
    void anEngineThatIsAddedLaterStartsWithTheFleetsWeights() {
        fixture.fleet = FleetWeights.INITIAL.next("id-7", SEVEN.weights(), false);
        EngineController engine = fixture.controller(false);
        fixture.url = EngineFixture.URL;
        engine.adopt(EngineFixture.URL);
        assertThat(value(engine.awaitFleetWeights(SOON))).isTrue();
        assertThat(engine.weightVersion()).isEqualTo("7");
    }

    @Test
    void oneThatCannotHaveThemFailsItsLaunch() {
        fixture.fleet = FleetWeights.INITIAL.next("id-9", new Weights("9", null, null), false);
        EngineController engine = fixture.controller(false);
        fixture.url = EngineFixture.URL;
        engine.adopt(EngineFixture.URL);
        CompletableFuture<Boolean> launch = engine.awaitFleetWeights(SOON);
        fixture.loop.pass(SECOND);
        assertThat(fixture.loop.words(launch)).contains("cannot be loaded again");
    }

    @Test
    void weightsFromMemoryAreRefusedAsThoseFromDisk() {
        EngineController engine = fixture.serving();
        fixture.updateRefusal = Optional.of("the engine's weights belong to SGLang's weight cache");
        UpdateOutcome outcome =
                prepared(engine, "id-8", WeightUpdate.fromTensors("8", List.of(Map.of("tensors", "a"))));
        assertThat(outcome.result()).isEqualTo(Result.REFUSED);
        assertThat(outcome.detail()).contains("weight cache");
        assertThat(fixture.done()).isEmpty();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aLaunchDoesNotDependOnTheRegistrysAnswer() {
        fixture.registryAnswers = false;
        EngineController engine = fixture.serving();
        CompletableFuture<Boolean> launch = engine.awaitFleetWeights(SOON);
        fixture.loop.pass(SOON);
        assertThat(fixture.loop.value(launch)).isTrue();
    }
}
