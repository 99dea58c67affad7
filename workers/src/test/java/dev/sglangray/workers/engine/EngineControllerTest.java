/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.loop.Lease;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.ProbeKind;
import dev.sglangray.workers.supervision.RestartMode;
import dev.sglangray.workers.supervision.Signal;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Restarts, pauses and drains of one engine. */
class EngineControllerTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration SOON = Duration.ofSeconds(5);

    private final EngineFixture fixture = new EngineFixture();

    private <T> T value(CompletableFuture<T> future) {
        fixture.loop.pass(SECOND);
        return fixture.loop.value(future);
    }

    @Test
    void aDeathIsAnsweredWithANewProcessAtTheSameUrl() {
        EngineController engine = fixture.serving();
        engine.signal(new Signal.Exited(0, false, "killed"));
        assertThat(fixture.lastReport().serves()).isFalse();
        assertThat(fixture.lastReport().why()).contains("does not serve at the moment", "killed");
        fixture.loop.pass(SECOND);
        assertThat(fixture.deeds).containsExactly("report: out", "start 1", "report: serves");
        assertThat(engine.standing().restarts()).isOne();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aStartTakesAnotherUrlWhileTheRegistryIsSilent() {
        EngineController engine = fixture.serving();
        fixture.registryAnswers = false;
        engine.signal(new Signal.Exited(0, false, "killed"));
        fixture.loop.pass(Duration.ofMillis(900));
        assertThat(fixture.done()).isEmpty();
        fixture.loop.pass(Duration.ofMillis(100));
        assertThat(fixture.done()).containsExactly("start 1 elsewhere");
        assertThat(engine.record().url()).isEqualTo("http://engine:2");
        assertThat(fixture.lastReport().endpoint())
                .extracting(endpoint -> endpoint.url())
                .isEqualTo("http://engine:2");
    }

    @Test
    void whatTheLogSaysExplainsTheEnd() {
        fixture.mode = RestartMode.NEVER;
        EngineController engine = fixture.serving();
        engine.signal(new Signal.Exited(0, false, "killed"));
        engine.signal(new Signal.Explained(0, "killed. Last lines: CUDA error"));
        assertThat(engine.standing().describe("engine")).contains("CUDA error");
    }

    @Test
    void anEngineOfAnotherFleetsRouterHasNothingToWaitFor() {
        fixture.member = false;
        EngineController engine = fixture.serving();
        assertThat(engine.isServed()).isTrue();
        assertThat(value(engine.drain(SOON, SOON))).isZero();
    }

    @Test
    void aLostEngineIsStartedAgainOnDemand() {
        fixture.mode = RestartMode.NEVER;
        EngineController engine = fixture.serving();
        engine.signal(new Signal.Exited(0, false, "killed"));
        assertThat(engine.standing().isLost()).isTrue();
        assertThat(value(engine.restart("asked for", SOON))).isTrue();
        assertThat(fixture.done()).containsExactly("start 1");
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aRestartOnDemandIsNotRetriedWhereNothingIsStartedAgain() {
        fixture.mode = RestartMode.NEVER;
        EngineController engine = fixture.serving();
        fixture.starts = false;
        CompletableFuture<Boolean> restart = engine.restart("new weights", SOON);
        fixture.loop.pass(Duration.ofMinutes(1));
        assertThat(fixture.loop.words(restart)).contains("did not come back", "no memory");
        assertThat(fixture.done()).containsExactly("end 0", "start 1");
        assertThat(engine.standing().isLost()).isTrue();
    }

    @Test
    void aRestartThatTakesTooLongSaysSo() {
        EngineController engine = fixture.serving();
        fixture.startBlocks = new CompletableFuture<>();
        CompletableFuture<Boolean> restart = engine.restart("asked for", SOON);
        fixture.loop.pass(SOON);
        assertThat(fixture.loop.words(restart)).contains("did not come back within 5.0 s");
    }

    @Test
    void aWishWhileItIsBeingStartedIsFulfilledByThatStart() {
        EngineController engine = fixture.serving();
        CompletableFuture<Void> start = new CompletableFuture<>();
        fixture.startBlocks = start;
        engine.signal(new Signal.Exited(0, false, "killed"));
        fixture.loop.run();
        CompletableFuture<Boolean> restart = engine.restart("asked for", SOON);
        start.complete(null);
        assertThat(value(restart)).isTrue();
        assertThat(fixture.done("start")).hasSize(1);
    }

    @Test
    void aRestartOfADrainedEngineDoesNotWaitForRequests() {
        EngineController engine = fixture.serving();
        assertThat(value(engine.drain(SOON, Duration.ofMinutes(1)))).isZero();
        assertThat(value(engine.restart("asked for", SOON))).isTrue();
        assertThat(fixture.done("start")).hasSize(1);
        assertThat(engine.isServed()).isFalse();
        assertThat(fixture.done("report: serves")).isEmpty();
    }

    @Test
    void aDrainWaitsForRequestsAndTellsHowManyAreLeft() {
        EngineController engine = fixture.serving();
        fixture.requests = OptionalInt.of(2);
        CompletableFuture<Integer> drain = engine.drain(SOON, Duration.ofMinutes(1));
        fixture.loop.pass(SOON.minus(SECOND));
        assertThat(drain).isNotDone();
        assertThat(fixture.lastReport().why()).startsWith("drained until 2026-01-01T00:01:00Z");
        fixture.loop.pass(SECOND.multipliedBy(2));
        assertThat(fixture.loop.value(drain)).isEqualTo(2);
        fixture.requests = OptionalInt.empty();
        assertThat(value(engine.drain(SOON, Duration.ofMinutes(1)))).isEqualTo(-1);
    }

    @Test
    void aDrainEndsWithTheProcessAndOutlivesIt() {
        EngineController engine = fixture.serving();
        fixture.requests = OptionalInt.of(2);
        CompletableFuture<Integer> drain = engine.drain(SOON, Duration.ofMinutes(1));
        fixture.loop.pass(SECOND);
        fixture.requestsFailure = "GET /v1/loads failed: connection refused";
        fixture.loop.pass(SECOND);
        assertThat(drain).isNotDone();
        engine.signal(new Signal.Exited(0, false, "killed"));
        assertThat(value(drain)).isZero();
        assertThat(fixture.done("start")).hasSize(1);
        assertThat(engine.isServed()).isFalse();
    }

    @Test
    void aDrainFailsWhenTheEngineNeverSaysWhetherItHasRequests() {
        EngineController engine = fixture.serving();
        fixture.requestsFailure = "GET /v1/loads failed: HTTP 500";
        CompletableFuture<Integer> drain = engine.drain(SOON, Duration.ofMinutes(1));
        fixture.loop.pass(SOON.plus(SECOND));
        assertThat(fixture.loop.words(drain)).contains("HTTP 500");
    }

    @Test
    void aDrainedEngineServesAgainWhenItsCallerSaysSo() {
        EngineController engine = fixture.serving();
        assertThat(value(engine.drain(SOON, Duration.ofMinutes(1)))).isZero();
        assertThat(engine.isWithheld()).isTrue();
        assertThat(value(engine.undrain(SOON))).isTrue();
        assertThat(engine.isServed()).isTrue();
        assertThat(engine.conditions()).isEmpty();
    }

    @Test
    void aDrainThatIsNotEndedIsOverWithItsLease() {
        EngineController engine = fixture.serving();
        assertThat(value(engine.drain(SOON, Duration.ofMinutes(1)))).isZero();
        fixture.loop.pass(Duration.ofSeconds(58));
        assertThat(engine.isServed()).isFalse();
        fixture.loop.pass(SECOND);
        assertThat(engine.isServed()).isTrue();
        assertThat(fixture.kept).extracting(EngineRecord::drained).isNull();
    }

    @Test
    void aDrainOfBeforeTheClockWasSetBackIsNotLongerForASuccessor() {
        EngineController dead = fixture.serving();
        assertThat(value(dead.drain(SOON, Duration.ofMinutes(1)))).isZero();
        EngineRecord kept = Objects.requireNonNull(fixture.kept);
        Lease drained = Objects.requireNonNull(kept.drained());
        fixture.kept = kept.withDrain(
                new Lease(drained.untilMillis() + Duration.ofHours(2).toMillis(), drained.millis()));
        EngineController successor = fixture.controller(true);
        assertThat(successor.inherit()).isTrue();
        fixture.loop.pass(Duration.ofSeconds(58));
        assertThat(successor.isServed()).isFalse();
        fixture.loop.pass(Duration.ofSeconds(3));
        assertThat(successor.isServed()).isTrue();
    }

    @Test
    void aDrainFailsWhileTheRouterMaySend() {
        EngineController engine = fixture.serving();
        fixture.registryAnswers = false;
        CompletableFuture<Integer> drain = engine.drain(SOON, Duration.ofMinutes(1));
        fixture.loop.pass(SOON);
        assertThat(fixture.loop.words(drain)).contains("no reply from the router's worker within 5.0 s");
        CompletableFuture<Boolean> back = engine.undrain(SOON);
        fixture.loop.pass(SOON);
        assertThat(fixture.loop.words(back)).contains("was not back in the router within 5.0 s", "retries");
    }

    @Test
    void pausedGenerationKeepsTheEngineInTheRouter() {
        EngineController engine = fixture.serving();
        assertThat(value(engine.pause(PauseMode.IN_PLACE, SOON))).isTrue();
        assertThat(value(engine.pause(PauseMode.IN_PLACE, SOON))).isTrue();
        assertThat(fixture.done()).containsOnly("/pause_generation {mode=in_place}");
        assertThat(engine.conditions()).containsExactly("generation paused (in_place)");
        assertThat(engine.isServed()).isTrue();
        assertThat(engine.isWithheld()).isFalse();
        assertThat(value(engine.continueGeneration(SOON))).isTrue();
        assertThat(value(engine.continueGeneration(SOON))).isTrue();
        assertThat(engine.conditions()).isEmpty();
        assertThat(fixture.done("/continue")).hasSize(2);
    }

    @Test
    void anEngineStartedDuringAPauseStaysOutUntilThePauseEnds() {
        EngineController engine = fixture.serving();
        assertThat(value(engine.pause(PauseMode.ABORT, SOON))).isTrue();
        engine.signal(new Signal.Exited(0, false, "killed"));
        fixture.loop.pass(Duration.ofMinutes(1));
        assertThat(engine.standing().isServing()).isTrue();
        assertThat(engine.conditions()).singleElement().asString().contains("the engine started since");
        assertThat(fixture.lastReport().why()).isEqualTo("the engine started while generation is paused");
        assertThat(engine.isServed()).isFalse();
        assertThat(value(engine.continueGeneration(SOON))).isTrue();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aSuccessorKnowsThatGenerationIsPaused() {
        EngineController dead = fixture.serving();
        assertThat(value(dead.pause(PauseMode.RETRACT, SOON))).isTrue();
        fixture.url = null;
        EngineController successor = fixture.controller(true);
        assertThat(successor.inherit()).isTrue();
        fixture.loop.pass(SECOND);
        assertThat(successor.standing().isServing()).isTrue();
        assertThat(successor.isServed()).isFalse();
        assertThat(value(successor.continueGeneration(SOON))).isTrue();
        assertThat(successor.isServed()).isTrue();
    }

    @Test
    void aRefusedPauseIsNone() {
        EngineController engine = fixture.serving();
        fixture.answer("/pause_generation", 404, "");
        CompletableFuture<Boolean> pause = engine.pause(PauseMode.RETRACT, SOON);
        assertThat(fixture.loop.words(pause)).contains("answered /pause_generation with HTTP 404");
        assertThat(engine.conditions()).isEmpty();
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void aLostAnswerToAPauseEndsInANewProcess() {
        EngineController engine = fixture.serving();
        fixture.loseAnswers("/pause_generation");
        CompletableFuture<Boolean> pause = engine.pause(PauseMode.RETRACT, SOON);
        assertThat(fixture.loop.words(pause)).contains("did not answer /pause_generation");
        assertThat(value(engine.continueGeneration(SOON))).isTrue();
        fixture.loop.pass(SECOND);
        assertThat(fixture.done("start")).hasSize(1);
        assertThat(engine.isServed()).isTrue();
    }

    @Test
    void whatIsHeldIsNotProbed() {
        fixture.probe = ProbeKind.GENERATE;
        EngineController engine = fixture.serving();
        fixture.loop.pass(Duration.ofSeconds(10));
        assertThat(fixture.done("probe")).hasSize(1);
        assertThat(value(engine.pause(PauseMode.RETRACT, SOON))).isTrue();
        fixture.loop.pass(Duration.ofMinutes(5));
        assertThat(fixture.done("probe")).hasSize(1);
        assertThat(value(engine.continueGeneration(SOON))).isTrue();
        engine.pauseProbes(true);
        fixture.loop.pass(Duration.ofMinutes(5));
        assertThat(fixture.done("probe")).hasSize(1);
        engine.pauseProbes(false);
        fixture.loop.pass(Duration.ofSeconds(10));
        assertThat(fixture.done("probe")).hasSize(2);
    }

    @Test
    void anEndpointIsGivenWithTheEpochOfItsReport() {
        EngineController engine = fixture.controller(false);
        assertThatThrownBy(engine::endpoint)
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("it was not started, or has ended");
        engine = fixture.serving();
        long before = fixture.lastReport().epoch();
        assertThat(engine.endpoint().epoch()).isGreaterThan(before);
        assertThat(fixture.lastReport().epoch()).isEqualTo(engine.record().epoch());
    }

    @Test
    void aSuccessorTakesUrlBudgetAndEpochsOver() {
        EngineController dead = fixture.serving();
        for (int i = 0; i < 4; i++) {
            dead.signal(new Signal.Exited(i, false, "killed"));
            fixture.loop.pass(SOON);
        }
        long epoch = fixture.lastReport().epoch();
        EngineController successor = fixture.controller(true);
        assertThat(successor.inherit()).isTrue();
        assertThat(fixture.lastReport().epoch())
                .as("epochs that did not reach the disk are not used again")
                .isGreaterThan(epoch + 500);
        fixture.loop.pass(SOON);
        assertThat(successor.standing().restarts()).isEqualTo(5);
        successor.signal(new Signal.Exited(1, false, "killed again"));
        assertThat(successor.standing().lastError()).contains("given up after 5 restarts");
    }

    @Test
    void aWorkerThatStartedNothingLeavesNothingToInherit() {
        assertThat(fixture.controller(true).inherit()).isFalse();
        fixture.loop.pass(SOON);
        assertThat(fixture.deeds).isEmpty();
    }

    @Test
    void afterItsEndNothingIsSaidAndNothingIsLeft() {
        EngineController engine = fixture.serving();
        assertThat(fixture.kept).isNotNull();
        engine.end();
        engine.end();
        assertThat(fixture.kept).isNull();
        engine.signal(new Signal.Exited(0, false, "killed"));
        engine.reportAgain();
        fixture.loop.pass(Duration.ofMinutes(1));
        assertThat(fixture.deeds).isEmpty();
        assertThat(fixture.kept).isNull();
        assertThatThrownBy(engine::endpoint).hasMessageContaining("has ended");
    }

    @Test
    void aChangeThatIsUnderWayIsNamedToOthers() {
        EngineController engine = fixture.serving();
        fixture.requests = OptionalInt.of(1);
        CompletableFuture<Boolean> release = engine.release(List.of(), Duration.ofMinutes(1));
        CompletableFuture<Boolean> resume = engine.resume(List.of(), SOON);
        fixture.loop.pass(SOON);
        assertThat(fixture.loop.words(resume)).isEqualTo("resumeMemory: releaseMemory was still under way after 5 s");
        assertThat(release).isNotDone();
    }
}
