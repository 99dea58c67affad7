/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.loop.ManualLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** That decisions are carried out, in their order, whatever fails. */
class ReconcileLoopTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ManualLoop loop = new ManualLoop();
    private final EventJournal journal =
            new EventJournal("engines:0", loop::now, text -> text.replace("hunter2", "***"));
    private final List<String> deeds = new ArrayList<>();
    private final List<SupervisionStatus> seen = new ArrayList<>();
    private Consumer<SupervisionStatus> onChange = standing -> {};
    private CompletableFuture<Void> start = CompletableFuture.completedFuture(null);
    private CompletableFuture<Void> probe = CompletableFuture.completedFuture(null);
    private boolean startThrows;
    private final FakeActions actions = new FakeActions();
    private final ReconcileLoop supervisor = new ReconcileLoop(
            loop,
            new Reconciler(
                    "engine",
                    new SupervisionPolicy(
                            RestartMode.ALWAYS,
                            3,
                            60,
                            1,
                            1,
                            ProbeKind.HEALTH,
                            10,
                            1,
                            2,
                            OnDegraded.CONTINUE,
                            OnNodeLoss.WAIT,
                            30),
                    loop::now,
                    journal),
            actions,
            (incarnation, news) -> actions.start(incarnation, true, news),
            standing -> {
                seen.add(standing);
                onChange.accept(standing);
            });

    private final class FakeActions implements ProcessActions {
        @Override
        public CompletableFuture<Void> start(int incarnation, boolean sameUrl, Consumer<Signal> news) {
            deeds.add("start " + incarnation);
            if (startThrows) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            return start;
        }

        @Override
        public CompletableFuture<Void> end(int incarnation, boolean gently) {
            deeds.add("end " + incarnation + (gently ? " gently" : ""));
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Void> probe(int incarnation) {
            deeds.add("probe " + incarnation);
            return probe;
        }
    }

    private static Signal.Exited killed(int incarnation) {
        return new Signal.Exited(incarnation, false, "killed");
    }

    @Test
    void aHungProcessIsEndedAndStartedAgain() {
        probe = CompletableFuture.failedFuture(new IllegalStateException("HTTP 503, key hunter2"));
        supervisor.signal(new Signal.Adopted());
        loop.pass(SECOND.multipliedBy(20));
        assertThat(deeds).containsExactly("probe 0", "probe 0", "end 0", "start 1");
        assertThat(supervisor.standing().isServing()).isTrue();
        assertThat(supervisor.standing().restarts()).isOne();
        assertThat(journal.from(0))
                .extracting(Event::kind)
                .containsExactly(
                        EventKind.STARTED,
                        EventKind.PROBE_FAILED,
                        EventKind.PROBE_FAILED,
                        EventKind.UNRESPONSIVE,
                        EventKind.RESTARTING,
                        EventKind.RECOVERED);
        assertThat(journal.from(0)).extracting(Event::text).noneMatch(text -> text.contains("hunter2"));
        assertThat(journal.from(4)).first().extracting(Event::number).isEqualTo(4L);
    }

    @Test
    void anErrorThatAnActionThrowsIsItsFailure() {
        startThrows = true;
        supervisor.signal(new Signal.Adopted());
        supervisor.signal(killed(0));
        loop.run();
        assertThat(supervisor.standing().lastError()).isEqualTo("unable to create native thread");
        assertThat(supervisor.standing().condition()).isInstanceOf(SupervisionPhase.Waiting.class);
        startThrows = false;
        loop.pass(SECOND);
        assertThat(deeds).containsExactly("start 1", "start 2");
        assertThat(supervisor.standing().isServing()).isTrue();
    }

    @Test
    void aFutureThatFailsLaterIsAFailureToo() {
        start = new CompletableFuture<>();
        supervisor.signal(new Signal.Adopted());
        supervisor.signal(killed(0));
        loop.run();
        assertThat(supervisor.standing().condition()).isInstanceOf(SupervisionPhase.Starting.class);
        start.completeExceptionally(new IllegalStateException("no memory"));
        loop.run();
        assertThat(supervisor.standing().lastError()).isEqualTo("no memory");
    }

    @Test
    void aSignalFromWithinASignalWaitsForItsTurn() {
        onChange = standing -> {
            if (standing.isServing() && standing.incarnation() == 0) {
                onChange = later -> {};
                // Both come while the first signal is still being taken.
                supervisor.signal(killed(0));
                supervisor.signal(new Signal.RestartWanted("new weights"));
                assertThat(seen).as("nothing is taken meanwhile").hasSize(1);
            }
        };
        supervisor.signal(new Signal.Adopted());
        assertThat(seen)
                .extracting(standing -> standing.condition().getClass().getSimpleName())
                .containsExactly("Serving", "Starting", "Starting");
        assertThat(deeds).containsExactly("start 1");
    }

    @Test
    void theNewStandingIsKnownBeforeAnythingIsDone() {
        onChange = standing -> deeds.add(standing.condition().getClass().getSimpleName());
        supervisor.signal(new Signal.Adopted());
        supervisor.signal(killed(0));
        assertThat(deeds).containsExactly("Serving", "Starting", "start 1");
    }

    @Test
    void afterItsEndNothingIsDecided() {
        supervisor.signal(new Signal.Adopted());
        supervisor.stop();
        supervisor.signal(killed(0));
        loop.pass(Duration.ofMinutes(1));
        assertThat(deeds).isEmpty();
        assertThat(supervisor.standing().condition()).isInstanceOf(SupervisionPhase.Idle.class);
    }
}
