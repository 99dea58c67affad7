/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every decision, on a clock that stands still. */
class ReconcilerTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeClock clock = new FakeClock();
    private final List<EventKind> events = new ArrayList<>();
    private Reconciler reconciler = with(SupervisionPolicy.DEFAULT);

    private Reconciler with(SupervisionPolicy policy) {
        reconciler = new Reconciler("engine", policy, clock, (kind, text) -> events.add(kind));
        return reconciler;
    }

    private static SupervisionPolicy policy(RestartMode mode, int maxRestarts) {
        return new SupervisionPolicy(
                mode, maxRestarts, 600, 1, 4, ProbeKind.HEALTH, 10, 5, 3, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30);
    }

    private static Signal.Exited killed(int incarnation) {
        return new Signal.Exited(incarnation, false, "killed by SIGKILL");
    }

    @Test
    void aServingEngineOnlyWaitsForItsNextProbe() {
        assertThat(reconciler.on(new Signal.Adopted())).isEmpty();
        assertThat(reconciler.standing().condition()).isInstanceOf(SupervisionPhase.Serving.class);
        assertThat(reconciler.due()).contains(clock.instant().plusSeconds(15));
    }

    @Test
    void aDeathIsAnsweredAtOnce() {
        reconciler.on(new Signal.Adopted());
        assertThat(reconciler.on(killed(0))).containsExactly(new Action.Start(1));
        assertThat(reconciler.due()).as("only news can change something").isEmpty();

        assertThat(reconciler.on(new Signal.Started(1))).isEmpty();
        SupervisionStatus now = reconciler.standing();
        assertThat(now.condition()).isInstanceOf(SupervisionPhase.Serving.class);
        assertThat(now.restarts()).isOne();
        assertThat(now.lastError()).isEqualTo("killed by SIGKILL");
        assertThat(events)
                .containsExactly(EventKind.STARTED, EventKind.EXITED, EventKind.RESTARTING, EventKind.RECOVERED);
    }

    @Test
    void theNewsOfAnEndThatOvertakesThatOfTheStartIsNotLost() {
        reconciler.on(killed(0));
        assertThat(reconciler.on(new Signal.Adopted())).contains(new Action.Start(1));
        reconciler.on(killed(1));
        reconciler.on(new Signal.Started(1));
        assertThat(reconciler.standing().condition()).isInstanceOf(SupervisionPhase.Waiting.class);
    }

    @Test
    void waitsLongerEachTimeAndGivesUpAtTheEndOfTheBudget() {
        with(policy(RestartMode.ALWAYS, 5)).on(new Signal.Adopted());
        List<Duration> waits = new ArrayList<>();
        List<Action> actions = reconciler.on(killed(0));
        for (int incarnation = 1; incarnation <= 4; incarnation++) {
            assertThat(actions).contains(new Action.Start(incarnation));
            reconciler.on(new Signal.StartFailed(incarnation, "no memory"));
            waits.add(waiting());
            clock.pass(waits.get(waits.size() - 1));
            actions = reconciler.on(new Signal.Tick());
        }
        assertThat(waits)
                .containsExactly(SECOND, SECOND.multipliedBy(2), SECOND.multipliedBy(4), SECOND.multipliedBy(4));
        reconciler.on(new Signal.StartFailed(5, "no memory"));
        assertThat(reconciler.standing().condition())
                .isInstanceOfSatisfying(
                        SupervisionPhase.Lost.class,
                        lost -> assertThat(lost.why()).contains("5 restarts within 600 s", "no memory"));
        assertThat(events).contains(EventKind.LOST);
    }

    @Test
    void theTimeInWhichItServedCountsAsWaited() {
        with(policy(RestartMode.ALWAYS, 5)).on(new Signal.Adopted());
        assertThat(waitAfterServing(0, Duration.ZERO)).isZero();
        assertThat(waitAfterServing(1, SECOND)).as("1 s, served").isZero();
        assertThat(waitAfterServing(2, Duration.ofMillis(500))).as("2 s").hasMillis(1500);
        assertThat(waitAfterServing(3, Duration.ofMinutes(1))).as("4 s, served").isZero();
        reconciler.on(new Signal.StartFailed(4, "no memory"));
        assertThat(waiting())
                .as("what an earlier incarnation served counts no more")
                .isEqualTo(SECOND.multipliedBy(4));
    }

    /** Serves for so long and is killed; the wait is over when this returns. */
    private Duration waitAfterServing(int incarnation, Duration served) {
        reconciler.on(new Signal.Started(incarnation));
        clock.pass(served);
        List<Action> actions = reconciler.on(killed(incarnation));
        Duration wait = Duration.ZERO;
        if (actions.isEmpty()) {
            wait = waiting();
            clock.pass(wait);
            actions = reconciler.on(new Signal.Tick());
        }
        assertThat(actions).containsExactly(new Action.Start(incarnation + 1));
        return wait;
    }

    private Duration waiting() {
        Instant until = ((SupervisionPhase.Waiting) reconciler.standing().condition()).until();
        return Duration.between(clock.instant(), until);
    }

    @Test
    void theWaitsOfAProcessThatEndsAsSoonAsItServesGrow() {
        with(policy(RestartMode.ALWAYS, 5)).on(new Signal.Adopted());
        List<Duration> waits = new ArrayList<>();
        for (int incarnation = 0; incarnation < 3; incarnation++) {
            waits.add(waitAfterServing(incarnation, Duration.ofMillis(100)));
        }
        assertThat(waits).extracting(Duration::toMillis).containsExactly(0L, 900L, 1900L);
    }

    @Test
    void anEngineThatServedUntilItHungIsStartedAgainAtOnce() {
        with(policy(RestartMode.ALWAYS, 5)).on(new Signal.Adopted());
        reconciler.on(killed(0));
        reconciler.on(new Signal.Started(1));
        for (int probe = 0; probe < 3; probe++) {
            clock.pass(SECOND.multipliedBy(10));
            reconciler.on(new Signal.Tick());
            reconciler.on(new Signal.Probed(1, false, "no answer"));
        }
        assertThat(reconciler.on(new Signal.Exited(1, false, "it was ended"))).containsExactly(new Action.Start(2));
    }

    @Test
    void theBudgetIsOfAWindowOnly() {
        with(policy(RestartMode.ALWAYS, 1)).on(new Signal.Adopted());
        for (int incarnation = 1; incarnation <= 4; incarnation++) {
            assertThat(reconciler.on(killed(incarnation - 1))).contains(new Action.Start(incarnation));
            reconciler.on(new Signal.Started(incarnation));
            clock.pass(Duration.ofMinutes(10));
        }
        assertThat(reconciler.standing().restarts()).isEqualTo(4);
    }

    @Test
    void neverMeansThatNothingIsDone() {
        with(SupervisionPolicy.NEVER).on(new Signal.Adopted());
        assertThat(reconciler.due()).as("no probes").isEmpty();
        assertThat(reconciler.on(killed(0))).isEmpty();
        assertThat(reconciler.standing().condition()).isInstanceOf(SupervisionPhase.Lost.class);
    }

    @Test
    void onFailureLeavesACleanEndAlone() {
        with(policy(RestartMode.ON_FAILURE, 5)).on(new Signal.Adopted());
        assertThat(reconciler.on(new Signal.Exited(0, true, "exit code 0"))).isEmpty();
        assertThat(reconciler.standing().condition()).isEqualTo(new SupervisionPhase.Lost("exit code 0"));

        with(policy(RestartMode.ON_FAILURE, 5)).on(new Signal.Adopted());
        assertThat(reconciler.on(killed(0))).contains(new Action.Start(1));
    }

    @Test
    void aSlowEngineIsSparedAndADeadOneEnded() {
        with(policy(RestartMode.ALWAYS, 5)).on(new Signal.Adopted());
        probe(false);
        probe(false);
        probe(true);
        probe(false);
        assertThat(probe(false)).isEmpty();
        assertThat(probe(false)).containsExactly(new Action.End(0, false));
        assertThat(reconciler.on(new Signal.Exited(0, false, "it was ended"))).containsExactly(new Action.Start(1));
        assertThat(reconciler.standing().lastError()).contains("does not work: no answer");
    }

    private List<Action> probe(boolean alive) {
        clock.pass(SECOND.multipliedBy(10));
        assertThat(reconciler.on(new Signal.Tick())).containsExactly(new Action.Probe(0));
        assertThat(reconciler.on(new Signal.Tick())).as("one at a time").isEmpty();
        return reconciler.on(new Signal.Probed(0, alive, "no answer"));
    }

    @Test
    void pausedProbesCountForNothing() {
        with(policy(RestartMode.ALWAYS, 5)).on(new Signal.Adopted());
        probe(false);
        probe(false);
        reconciler.on(new Signal.Restrained(true, false));
        clock.pass(SECOND.multipliedBy(100));
        assertThat(reconciler.on(new Signal.Tick())).isEmpty();
        reconciler.on(new Signal.Restrained(false, false));
        assertThat(probe(false)).isEmpty();
        assertThat(probe(false)).isEmpty();
        assertThat(probe(false)).contains(new Action.End(0, false));
    }

    @Test
    void aRestartOnDemandCostsNothingOfTheBudget() {
        with(policy(RestartMode.ALWAYS, 0)).on(new Signal.Adopted());
        assertThat(reconciler.on(new Signal.RestartWanted("new weights"))).containsExactly(new Action.End(0, true));
        assertThat(reconciler.on(killed(0))).containsExactly(new Action.Start(1));
        assertThat(reconciler.on(new Signal.Started(1))).isEmpty();
        assertThat(reconciler.on(killed(1))).isEmpty();
        assertThat(reconciler.standing().condition()).isInstanceOf(SupervisionPhase.Lost.class);
    }

    @Test
    void aReplacedWorkerStartsItsProcessAgainWithinTheSameBudget() {
        with(policy(RestartMode.ALWAYS, 2));
        assertThat(reconciler.on(new Signal.Inherited(7, List.of(clock.instant()))))
                .isEmpty();
        assertThat(reconciler.due()).contains(clock.instant().plusSeconds(1));
        clock.pass(SECOND);
        assertThat(reconciler.on(new Signal.Tick())).containsExactly(new Action.Start(1));
        reconciler.on(new Signal.Started(1));
        assertThat(reconciler.standing().restarts()).isEqualTo(8);
        reconciler.on(killed(1));
        assertThat(reconciler.standing().condition()).isInstanceOf(SupervisionPhase.Lost.class);
    }

    @Test
    void theTimeSinceItsPredecessorsLastRestartCountsAsWaited() {
        with(policy(RestartMode.ALWAYS, 5));
        Signal.Inherited inherited = new Signal.Inherited(1, List.of(clock.instant()));
        clock.pass(SECOND.multipliedBy(30));
        assertThat(reconciler.on(inherited)).containsExactly(new Action.Start(1));
    }

    @Test
    void afterAnOrderlyEndNothingIsDone() {
        reconciler.on(new Signal.Adopted());
        assertThat(reconciler.on(new Signal.Stopped())).isEmpty();
        assertThat(reconciler.on(killed(0))).isEmpty();
        assertThat(reconciler.due()).isEmpty();
    }

    @Test
    void lateNewsOfAnEarlierIncarnationIsIgnored() {
        reconciler.on(new Signal.Adopted());
        reconciler.on(killed(0));
        reconciler.on(new Signal.Started(1));
        assertThat(reconciler.on(killed(0))).isEmpty();
        assertThat(reconciler.on(new Signal.Probed(0, false, "late"))).isEmpty();
        assertThat(reconciler.standing().condition()).isInstanceOf(SupervisionPhase.Serving.class);
    }

    @Test
    void probesRestWhileTheyWouldMislead() {
        reconciler.on(new Signal.Adopted());
        assertThat(reconciler.on(new Signal.Restrained(true, false))).isEmpty();
        clock.pass(SECOND.multipliedBy(1000));
        assertThat(reconciler.on(new Signal.Tick())).isEmpty();
        assertThat(reconciler.due()).isEmpty();
        reconciler.on(new Signal.Restrained(false, false));
        assertThat(reconciler.due()).contains(clock.instant().plusSeconds(15));
    }

    @Test
    void aProbeThatWasUnderWayWhenProbesBeganToRestCountsForNothing() {
        with(policy(RestartMode.ALWAYS, 5)).on(new Signal.Adopted());
        probe(false);
        probe(false);
        clock.pass(SECOND.multipliedBy(10));
        assertThat(reconciler.on(new Signal.Tick())).containsExactly(new Action.Probe(0));
        reconciler.on(new Signal.Restrained(true, false));
        assertThat(reconciler.on(new Signal.Probed(0, false, "memory is released")))
                .isEmpty();
        assertThat(events).doesNotContain(EventKind.UNRESPONSIVE);
    }

    @Test
    void aProcessWithoutRoomIsStartedAgainOnlyWhenThereIsRoom() {
        reconciler.on(new Signal.Adopted());
        reconciler.on(new Signal.Restrained(true, true));
        assertThat(reconciler.on(killed(0))).isEmpty();
        assertThat(reconciler.standing().startBlocked()).isTrue();
        assertThat(reconciler.due()).isEmpty();
        assertThat(reconciler.on(new Signal.Restrained(false, false))).containsExactly(new Action.Start(1));
        assertThat(reconciler.standing().startBlocked()).isFalse();
    }

    @Test
    void aWishedRestartIsNotRetriedWhereNothingIsStartedAgain() {
        with(SupervisionPolicy.NEVER).on(new Signal.Adopted());
        assertThat(reconciler.on(new Signal.RestartWanted("new weights"))).containsExactly(new Action.End(0, true));
        assertThat(reconciler.on(killed(0))).containsExactly(new Action.Start(1));
        assertThat(reconciler.on(new Signal.StartFailed(1, "no memory"))).isEmpty();
        assertThat(reconciler.standing().condition()).isEqualTo(new SupervisionPhase.Lost("no memory"));
        assertThat(reconciler.due()).isEmpty();
    }

    @Test
    void aLostProcessIsStartedAgainOnDemand() {
        with(SupervisionPolicy.NEVER).on(new Signal.Adopted());
        reconciler.on(killed(0));
        assertThat(reconciler.on(new Signal.RestartWanted("asked for"))).containsExactly(new Action.Start(1));
        reconciler.on(new Signal.Started(1));
        assertThat(reconciler.standing().isServing()).isTrue();
    }

    @Test
    void aSuccessorOfAWorkerThatRestartsNothingHasALostProcess() {
        with(SupervisionPolicy.NEVER);
        assertThat(reconciler.on(new Signal.Inherited(0, List.of()))).isEmpty();
        assertThat(reconciler.standing().isLost()).isTrue();
        assertThat(reconciler.standing().lastError()).contains("the policy is not to restart");
    }

    @Test
    void whatTheLogSaysOfAnEndExplainsIt() {
        with(SupervisionPolicy.NEVER).on(new Signal.Adopted());
        reconciler.on(killed(0));
        reconciler.on(new Signal.Explained(0, "killed by SIGKILL. Last lines: out of memory"));
        assertThat(reconciler.standing().lastError()).isEqualTo("killed by SIGKILL. Last lines: out of memory");
        assertThat(reconciler.standing().describe("engine"))
                .isEqualTo("the engine is lost: killed by SIGKILL. Last lines: out of memory");
    }

    @Test
    void anExplanationReplacesNoLaterError() {
        reconciler.on(new Signal.Adopted());
        reconciler.on(killed(0));
        reconciler.on(new Signal.StartFailed(1, "no memory"));
        reconciler.on(new Signal.Explained(0, "killed by SIGKILL. Last lines: hello"));
        assertThat(reconciler.standing().lastError()).isEqualTo("no memory");
    }

    @Test
    void aClockThatWasSetBackMakesOldRestartsCountNoLonger() {
        with(policy(RestartMode.ALWAYS, 2));
        reconciler.on(new Signal.Inherited(1, List.of(clock.instant().plusSeconds(5000))));
        assertThat(reconciler.standing().spent()).containsExactly(clock.instant(), clock.instant());
    }
}
