/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sglangray.workers.TestRouters;
import dev.sglangray.workers.loop.LoopCalls;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.process.ExitListener;
import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.ServerProcess;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.EngineRegistry;
import dev.sglangray.workers.registry.RegistryRecord;
import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.EventJournal;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.MonotonicClock;
import dev.sglangray.workers.supervision.OnDegraded;
import dev.sglangray.workers.supervision.OnNodeLoss;
import dev.sglangray.workers.supervision.ProbeKind;
import dev.sglangray.workers.supervision.RestartMode;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One router process after the other in the same place, with processes that are none. */
class RouterKeeperTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String URL = "http://10.0.0.1:4711";
    private static final String SERVER = "http://10.0.0.2:20000";

    @TempDir
    Path folder;

    private final List<Child> children = new CopyOnWriteArrayList<>();
    private final List<RouterKeeper> keepers = new ArrayList<>();
    private final List<ThreadLoop> loops = new ArrayList<>();
    private final TestRouters.Store<RouterKeeper.Kept> store = new TestRouters.Store<>();
    private volatile boolean works = true;
    private volatile boolean starts = true;
    private volatile boolean answers = true;
    private volatile CountDownLatch startsBlock = new CountDownLatch(0);
    private @Nullable EngineRegistry registry;

    /** A lifecycle that starts at once, or never. */
    private final class Child implements ServerProcess {
        private final Incarnation incarnation;
        private volatile ExitListener listener = (clean, why) -> {};
        private volatile boolean running;
        private volatile boolean ended;

        Child(Incarnation incarnation) {
            this.incarnation = incarnation;
        }

        @Override
        public String start(ExitListener exits) {
            listener = exits;
            try {
                startsBlock.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new WorkerFailure("interrupted");
            }
            if (!starts) {
                throw new WorkerFailure("no memory");
            }
            running = true;
            return URL;
        }

        @Override
        public String url() {
            if (!running) {
                throw new WorkerFailure("it has no URL");
            }
            return URL;
        }

        @Override
        public boolean isHealthy() {
            return running;
        }

        @Override
        public String logTail(int lines) {
            return "";
        }

        @Override
        public void shutdown(Duration grace) {
            running = false;
            ended = true;
        }

        @Override
        public Snapshot snapshot() {
            return new Snapshot(
                    running ? WorkerState.READY : WorkerState.STOPPED,
                    URL,
                    null,
                    null,
                    null,
                    null,
                    null,
                    List.of(),
                    List.of(),
                    null);
        }

        void dies(boolean clean, String why) {
            running = false;
            listener.ended(clean, why);
        }
    }

    private RouterKeeper keeper(RestartMode mode, int budget, ProbeKind probe) {
        SupervisionPolicy policy = new SupervisionPolicy(
                mode, budget, 600, 0, 0, probe, 0.02, 1, 2, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30);
        MonotonicClock clock = new MonotonicClock();
        ThreadLoop loop = new ThreadLoop("router:0", clock);
        loops.add(loop);
        EventJournal journal = new EventJournal("router:0", clock, text -> text.replace("open-sesame", "***"));
        EngineRegistry fresh = new EngineRegistry(
                loop, journal, TestRouters.noWorkers(), new TestRouters.Store<RegistryRecord>(), false);
        registry = fresh;
        RouterKeeper keeper = new RouterKeeper(
                policy,
                loop,
                journal,
                incarnation -> {
                    Child child = new Child(incarnation);
                    children.add(child);
                    return child;
                },
                url -> {
                    if (!works) {
                        throw new WorkerFailure("HTTP 503");
                    }
                },
                fresh,
                url -> TestRouters.port(loop, () -> answers),
                store);
        keepers.add(keeper);
        String unused = LoopCalls.await(
                loop, LONG, () -> CompletableFuture.completedFuture(fresh.register(ServerEndpoint.regular(SERVER))));
        return keeper;
    }

    private RouterKeeper started(RestartMode mode, int budget, ProbeKind probe) {
        RouterKeeper keeper = keeper(mode, budget, probe);
        assertThat(keeper.start()).isEqualTo(URL);
        awaitServers();
        return keeper;
    }

    private boolean isListed() {
        EngineRegistry now = registry;
        return now != null
                && LoopCalls.await(
                        loops.get(loops.size() - 1),
                        LONG,
                        () -> CompletableFuture.completedFuture(
                                now.view().members().stream().anyMatch(member -> member.listed())));
    }

    private void awaitServers() {
        await("servers").atMost(LONG).until(this::isListed);
    }

    private Child last() {
        return children.get(children.size() - 1);
    }

    private void awaitState(RouterKeeper keeper, String state) {
        await(state).atMost(LONG).until(() -> status(keeper).state().equals(state));
    }

    private static List<EventKind> kinds(RouterKeeper keeper) {
        return keeper.journal().from(0).stream().map(Event::kind).toList();
    }

    private WorkerStatus status(RouterKeeper of) {
        return of.status(
                new WorkerStatus.Identity("router", "r", 0, 1, "", "", "", false),
                new WorkerNode("n", "10.0.0.1", List.of(), folder),
                WorkerStatus.ServicePart.UNKNOWN);
    }

    @AfterEach
    void endAll() {
        keepers.forEach(RouterKeeper::close);
        loops.forEach(ThreadLoop::close);
    }

    @Test
    void aDeathIsAnsweredWithANewProcessAtTheSamePortAndItsServers() {
        RouterKeeper keeper = started(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        last().dies(false, "killed; key open-sesame");
        await().atMost(LONG).until(() -> status(keeper).supervision().restarts() == 1);
        awaitServers();
        assertThat(last().incarnation).isEqualTo(new Incarnation(1, 4711));
        assertThat(children.get(0).ended).as("what was left of the first").isTrue();
        assertThat(keeper.url()).isEqualTo(URL);
        assertThat(kinds(keeper)).contains(EventKind.STARTED, EventKind.EXITED, EventKind.RECOVERED);
        assertThat(keeper.journal().from(0).toString()).doesNotContain("open-sesame");
    }

    @Test
    void aCleanExitIsLeftAloneWhereOnlyFailuresAreAnswered() {
        RouterKeeper keeper = started(RestartMode.ON_FAILURE, 3, ProbeKind.NONE);
        last().dies(true, "exit code 0");
        awaitState(keeper, "FAILED");
        assertThat(children).hasSize(1);
        assertThat(isListed()).isFalse();
        assertThatThrownBy(keeper::url).hasMessageContaining("the router is lost: exit code 0");
        keeper.restart("asked for", LONG);
        assertThat(keeper.url()).isEqualTo(URL);
        assertThat(isListed()).isTrue();
    }

    @Test
    void anUncleanExitIsAnsweredThere() {
        RouterKeeper keeper = started(RestartMode.ON_FAILURE, 3, ProbeKind.NONE);
        last().dies(false, "exit code 1");
        await().atMost(LONG).until(() -> status(keeper).supervision().restarts() == 1);
        assertThat(children).hasSize(2);
    }

    @Test
    void whatTheLogSaysExplainsTheEnd() {
        RouterKeeper keeper = started(RestartMode.NEVER, 3, ProbeKind.NONE);
        last().dies(false, "exit code 1");
        awaitState(keeper, "FAILED");
        last().listener.explained("exit code 1. Last lines: address in use");
        await().atMost(LONG)
                .until(() ->
                        String.valueOf(status(keeper).supervision().lastError()).contains("address in use"));
    }

    @Test
    void aCrashLoopIsGivenUpWhenTheBudgetIsSpentAndEndedByAWish() {
        RouterKeeper keeper = started(RestartMode.ALWAYS, 2, ProbeKind.NONE);
        starts = false;
        last().dies(false, "exit code 1");
        awaitState(keeper, "FAILED");
        assertThat(children).hasSize(3);
        assertThat(status(keeper).supervision().lastError()).contains("given up after 2 restarts", "no memory");
        assertThatThrownBy(() -> keeper.restart("asked for", LONG)).hasMessageContaining("did not come back");
        starts = true;
        keeper.restart("asked for", LONG);
        assertThat(status(keeper).state()).isEqualTo("READY");
        assertThat(isListed()).isTrue();
    }

    @Test
    void aRestartWaitsForTheServersAndSaysWhenTheyAreMissing() {
        RouterKeeper keeper = started(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        answers = false;
        assertThatThrownBy(() -> keeper.restart("asked for", Duration.ofMillis(300)))
                .hasMessageContaining("did not come back with its servers");
        answers = true;
        keeper.restart("asked for", LONG);
        assertThat(isListed()).isTrue();
    }

    @Test
    void whatRunsButDoesNotWorkIsReplaced() {
        RouterKeeper keeper = started(RestartMode.ALWAYS, 5, ProbeKind.GENERATE);
        works = false;
        await().atMost(LONG).until(() -> kinds(keeper).contains(EventKind.UNRESPONSIVE));
        works = true;
        await().atMost(LONG).until(() -> status(keeper).supervision().restarts() > 0);
        assertThat(children.get(0).ended).isTrue();
        assertThat(status(keeper).supervision().lastError()).contains("runs but does not work: HTTP 503");
    }

    @Test
    void aSuccessorTakesTheUrlAndTheBudgetOver() {
        RouterKeeper dead = started(RestartMode.ALWAYS, 2, ProbeKind.NONE);
        last().dies(false, "killed");
        await().atMost(LONG).until(() -> status(dead).supervision().restarts() == 1);
        children.clear();

        RouterKeeper successor = keeper(RestartMode.ALWAYS, 2, ProbeKind.NONE);
        assertThat(successor.inherit()).isTrue();
        assertThat(successor.url()).isEqualTo(URL);
        await().atMost(LONG).until(() -> status(successor).supervision().restarts() == 2);
        assertThat(last().incarnation.port()).isEqualTo(4711);
        awaitServers();
        last().dies(false, "killed again");
        awaitState(successor, "FAILED");
        assertThat(status(successor).supervision().lastError()).contains("given up after 2 restarts");
    }

    @Test
    void aWishWhileItIsBeingStartedIsFulfilledByThatStart() throws InterruptedException {
        RouterKeeper keeper = started(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        startsBlock = new CountDownLatch(1);
        last().dies(false, "killed");
        await().atMost(LONG)
                .until(() -> children.size() == 2 && status(keeper).state().equals("RESTARTING"));
        Thread wish = new Thread(() -> keeper.restart("asked for", LONG));
        wish.start();
        await().atMost(LONG).until(() -> wish.getState() == Thread.State.TIMED_WAITING);
        startsBlock.countDown();
        wish.join(LONG.toMillis());
        assertThat(wish.isAlive()).isFalse();
        assertThat(children).hasSize(2);
    }

    @Test
    void anOrderlyEndLeavesNothingToASuccessor() {
        RouterKeeper keeper = started(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        keeper.close();
        keeper.close();
        assertThat(last().ended).isTrue();
        assertThat(kinds(keeper)).containsOnlyOnce(EventKind.STOPPED);
        assertThat(children).hasSize(1);
        last().dies(false, "killed");
        assertThat(children).hasSize(1);
    }

    @Test
    void theFirstStartIsNotRepeated() {
        starts = false;
        RouterKeeper keeper = keeper(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        assertThatThrownBy(keeper::start).isInstanceOf(WorkerFailure.class).hasMessage("no memory");
        assertThat(children).hasSize(1);
        assertThat(store.kept).isNull();
        assertThat(keeper(RestartMode.ALWAYS, 3, ProbeKind.NONE).inherit()).isFalse();
    }
}
