/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.OnDegraded;
import dev.sglangray.workers.supervision.OnNodeLoss;
import dev.sglangray.workers.supervision.ProbeKind;
import dev.sglangray.workers.supervision.RestartMode;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One process after the other in the same place, with children that are none. */
class KeeperTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String URL = "http://10.0.0.1:4711";

    @TempDir
    Path folder;

    private final List<Child> children = new CopyOnWriteArrayList<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final List<Keeper> keepers = new ArrayList<>();
    private volatile boolean works = true;
    private volatile boolean starts = true;
    private volatile CountDownLatch startsBlock = new CountDownLatch(0);

    /** A lifecycle that starts at once, or never. */
    private final class Child implements ServingLifecycle {
        private final Incarnation incarnation;
        private volatile ExitListener listener = (clean, why) -> {};
        private volatile boolean running;
        private volatile boolean ended;

        Child(Incarnation incarnation) {
            this.incarnation = incarnation;
        }

        @Override
        public String start() {
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
        public WorkerStatus status() {
            ServingChild.Snapshot now = new ServingChild.Snapshot(
                    running ? WorkerState.READY : WorkerState.STOPPED, URL, null, null, null, null);
            return Statuses.of(
                    "server", "engines", 0, 1, new WorkerNode("n", "10.0.0.1", List.of(), folder), List.of(), now);
        }

        @Override
        public void listen(ExitListener toTell) {
            listener = toTell;
        }

        void dies(boolean clean, String why) {
            running = false;
            listener.ended(clean, why);
        }
    }

    private final class Told implements Outside {
        @Override
        public void publish(String url) {
            told.add("serves " + url);
        }

        @Override
        public void withdraw() {
            told.add("serves not");
        }

        @Override
        public void probe(String url) {
            if (!works) {
                throw new WorkerFailure("HTTP 503");
            }
        }
    }

    private Keeper keeper(RestartMode mode, int budget, ProbeKind probe) {
        SupervisionPolicy policy = new SupervisionPolicy(
                mode, budget, 600, 0, 0, probe, 0.02, 1, 2, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30);
        Keeper keeper = new Keeper(
                "engines:0",
                "engine",
                policy,
                Secrets.of(Map.of("api_key", "open-sesame"), Map.of()),
                incarnation -> {
                    Child child = new Child(incarnation);
                    children.add(child);
                    return child;
                },
                new Told(),
                new MemoryFile(folder.resolve("memory.json")));
        keepers.add(keeper);
        return keeper;
    }

    private Keeper started(RestartMode mode, int budget, ProbeKind probe) {
        Keeper keeper = keeper(mode, budget, probe);
        assertThat(keeper.start()).isEqualTo(URL);
        return keeper;
    }

    private Child last() {
        return children.get(children.size() - 1);
    }

    private static void awaitState(Keeper keeper, String state) {
        await(state).atMost(LONG).until(() -> keeper.status().state().equals(state));
    }

    private static List<EventKind> kinds(Keeper keeper) {
        return keeper.events(0).stream().map(Event::kind).toList();
    }

    @AfterEach
    void endAll() {
        keepers.forEach(Keeper::close);
    }

    @Test
    void aDeathIsAnsweredWithANewProcessAtTheSamePort() {
        Keeper keeper = started(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        last().dies(false, "killed; key open-sesame");
        await().atMost(LONG).until(() -> told.equals(List.of("serves not", "serves " + URL)));
        keeper.requireSoon(LONG);
        assertThat(last().incarnation).isEqualTo(new Incarnation(1, 4711));
        assertThat(children.get(0).ended).as("what was left of the first").isTrue();
        assertThat(keeper.url()).isEqualTo(URL);
        assertThat(keeper.status().restarts()).isOne();
        assertThat(kinds(keeper))
                .contains(EventKind.STARTED, EventKind.EXITED, EventKind.RECOVERED, EventKind.PUBLISHED);
        assertThat(keeper.events(0).toString()).doesNotContain("open-sesame");
    }

    @Test
    void aCleanExitIsLeftAloneWhereOnlyFailuresAreAnswered() {
        Keeper keeper = started(RestartMode.ON_FAILURE, 3, ProbeKind.NONE);
        last().dies(true, "exit code 0");
        awaitState(keeper, "FAILED");
        await().atMost(LONG).until(() -> told.equals(List.of("serves not")));
        assertThat(children).hasSize(1);
        assertThatThrownBy(keeper::url).hasMessageContaining("the engine is lost: exit code 0");
        keeper.restart("asked for", LONG);
        assertThat(keeper.url()).isEqualTo(URL);
    }

    @Test
    void anUncleanExitIsAnsweredThere() {
        Keeper keeper = started(RestartMode.ON_FAILURE, 3, ProbeKind.NONE);
        last().dies(false, "exit code 1");
        await().atMost(LONG).until(() -> keeper.status().restarts() == 1);
        assertThat(children).hasSize(2);
    }

    @Test
    void aCrashLoopIsGivenUpWhenTheBudgetIsSpentAndEndedByAWish() {
        Keeper keeper = started(RestartMode.ALWAYS, 2, ProbeKind.NONE);
        starts = false;
        last().dies(false, "exit code 1");
        awaitState(keeper, "FAILED");
        assertThat(children).hasSize(3);
        assertThat(keeper.status().lastError()).contains("given up after 2 restarts", "no memory");
        assertThatThrownBy(() -> keeper.restart("asked for", LONG)).hasMessageContaining("did not come back");
        starts = true;
        keeper.restart("asked for", LONG);
        assertThat(keeper.status().state()).isEqualTo("READY");
        assertThat(told).endsWith("serves " + URL);
    }

    @Test
    void whatRunsButDoesNotWorkIsReplaced() {
        Keeper keeper = started(RestartMode.ALWAYS, 5, ProbeKind.GENERATE);
        works = false;
        await().atMost(LONG).until(() -> kinds(keeper).contains(EventKind.UNRESPONSIVE));
        works = true;
        await().atMost(LONG).until(() -> keeper.status().restarts() > 0);
        assertThat(children.get(0).ended).isTrue();
        assertThat(keeper.status().lastError()).contains("runs but does not work: HTTP 503");
    }

    @Test
    void pausedProbesFindNothing() {
        Keeper keeper = started(RestartMode.ALWAYS, 5, ProbeKind.GENERATE);
        keeper.pauseProbes(true);
        await().atMost(LONG).until(() -> kinds(keeper).contains(EventKind.PROBES_PAUSED));
        works = false;
        await().during(Duration.ofMillis(200))
                .atMost(LONG)
                .until(() -> !kinds(keeper).contains(EventKind.UNRESPONSIVE));
        keeper.pauseProbes(false);
        await().atMost(LONG).until(() -> kinds(keeper).contains(EventKind.UNRESPONSIVE));
    }

    @Test
    void aDrainedProcessStaysUntoldThroughARestart() {
        Keeper keeper = started(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        assertThat(keeper.drain(true, LONG)).isTrue();
        assertThat(told).containsExactly("serves not");
        keeper.restart("asked for", LONG);
        assertThat(keeper.status().state()).isEqualTo("DRAINED");
        assertThat(told).containsOnly("serves not");
        assertThat(keeper.drain(false, LONG)).isTrue();
        assertThat(told).endsWith("serves " + URL);
    }

    @Test
    void aSuccessorTakesTheUrlAndTheBudgetOver() {
        Keeper dead = started(RestartMode.ALWAYS, 2, ProbeKind.NONE);
        last().dies(false, "killed");
        await().atMost(LONG).until(() -> dead.status().restarts() == 1);
        children.clear();

        Keeper successor = keeper(RestartMode.ALWAYS, 2, ProbeKind.NONE);
        List<String> known = new CopyOnWriteArrayList<>();
        assertThat(successor.inherit(known::add)).isTrue();
        assertThat(known).containsExactly(URL);
        await().atMost(LONG).until(() -> successor.status().restarts() == 2);
        assertThat(last().incarnation.port()).isEqualTo(4711);
        last().dies(false, "killed again");
        awaitState(successor, "FAILED");
        assertThat(successor.status().lastError()).contains("given up after 2 restarts");
    }

    @Test
    void aWishWhileItIsStartedAnewIsFulfilledByThatStart() throws InterruptedException {
        Keeper keeper = started(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        startsBlock = new CountDownLatch(1);
        last().dies(false, "killed");
        await().atMost(LONG)
                .until(() -> children.size() == 2 && keeper.status().state().equals("RESTARTING"));
        Thread wish = new Thread(() -> keeper.restart("asked for", LONG));
        wish.start();
        await().atMost(LONG).until(() -> wish.getState() == Thread.State.TIMED_WAITING);
        startsBlock.countDown();
        wish.join(LONG.toMillis());
        assertThat(wish.isAlive()).isFalse();
        assertThat(children).hasSize(2);
    }

    @Test
    void whoEndedLeavesNothingToASuccessor() {
        Keeper keeper = started(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        assertThat(folder.resolve("memory.json")).exists();
        keeper.close();
        keeper.close();
        assertThat(folder.resolve("memory.json")).doesNotExist();
        assertThat(last().ended).isTrue();
        assertThat(kinds(keeper)).containsOnlyOnce(EventKind.STOPPED);
        assertThat(keeper(RestartMode.ALWAYS, 3, ProbeKind.NONE).inherit(url -> {}))
                .isFalse();
    }

    @Test
    void theFirstStartIsNotRepeated() {
        starts = false;
        Keeper keeper = keeper(RestartMode.ALWAYS, 3, ProbeKind.NONE);
        assertThatThrownBy(keeper::start).isInstanceOf(WorkerFailure.class).hasMessage("no memory");
        assertThat(children).hasSize(1);
        assertThat(folder.resolve("memory.json")).doesNotExist();
    }
}
