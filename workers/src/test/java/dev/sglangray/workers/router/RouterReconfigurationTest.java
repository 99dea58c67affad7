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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Changes of a router's arguments, with routers that are none. */
class RouterReconfigurationTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Map<String, Object> FRESH = Map.of("policy", "round_robin");

    @TempDir
    Path folder;

    private final List<Router> routers = new CopyOnWriteArrayList<>();
    private volatile Predicate<Router> starts = router -> true;
    private volatile Predicate<Router> publishes = router -> true;
    private final TestRouters.Store<RouterArguments.Kept> kept = new TestRouters.Store<>();
    private RouterArguments arguments;
    private RouterReconfiguration change;
    private RouterKeeper keeper;
    private final List<ThreadLoop> loops = new ArrayList<>();

    private final class Router implements ServerProcess {
        private final Map<String, Object> with;
        private final Incarnation incarnation;
        private volatile WorkerState state = WorkerState.NEW;
        private volatile @Nullable String failure;
        private volatile ExitListener listener = (clean, why) -> {};

        Router(Map<String, Object> with, Incarnation incarnation) {
            this.with = with;
            this.incarnation = incarnation;
            routers.add(this);
        }

        boolean isRehearsal() {
            return incarnation.variant().equals("-rehearsal");
        }

        boolean isFresh() {
            return "round_robin".equals(with.get("policy"));
        }

        @Override
        public String start(ExitListener exits) {
            listener = exits;
            if (!starts.test(this)) {
                state = WorkerState.FAILED;
                throw new WorkerFailure("no such file");
            }
            state = WorkerState.READY;
            return url();
        }

        @Override
        public String url() {
            return "http://10.0.0.1:" + (isRehearsal() ? 5 : 4711);
        }

        @Override
        public boolean isHealthy() {
            return state == WorkerState.READY;
        }

        @Override
        public String logTail(int lines) {
            return "";
        }

        @Override
        public void shutdown(Duration grace) {
            state = WorkerState.STOPPED;
        }

        @Override
        public Snapshot snapshot() {
            return new Snapshot(state, url(), null, null, null, failure, null, List.of(), List.of(), null);
        }

        void dies() {
            state = WorkerState.FAILED;
            failure = "it ended by itself";
            listener.ended(false, "killed");
        }
    }

    private RouterArguments arguments() {
        return new RouterArguments(() -> Map.of("policy", "cache_aware", "port", 4711), kept);
    }

    @BeforeEach
    void serve() {
        arguments = arguments();
        change = new RouterReconfiguration(arguments, Router::new, changes -> {
            if (changes.containsKey("polcy")) {
                throw new WorkerFailure("did you mean 'policy'?");
            }
        });
        // Not even the failed change of a fleet without restarts may cost it its router.
        SupervisionPolicy policy = new SupervisionPolicy(
                RestartMode.NEVER, 0, 600, 0, 0, ProbeKind.NONE, 1, 1, 2, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30);
        keeper = keeper(policy);
        keeper.start();
    }

    private WorkerStatus status(RouterKeeper of) {
        return of.status(
                new WorkerStatus.Identity("router", "r", 0, 1, "", "", "", false),
                new WorkerNode("n", "10.0.0.1", List.of(), folder),
                WorkerStatus.ServicePart.UNKNOWN);
    }

    private RouterKeeper keeper(SupervisionPolicy policy) {
        MonotonicClock clock = new MonotonicClock();
        ThreadLoop fresh = new ThreadLoop("r:0", clock);
        loops.add(fresh);
        EventJournal journal = new EventJournal("r:0", clock, text -> text);
        EngineRegistry registry = new EngineRegistry(
                fresh, journal, TestRouters.noWorkers(), new TestRouters.Store<RegistryRecord>(), false);
        String unused = LoopCalls.await(
                fresh,
                LONG,
                () -> CompletableFuture.completedFuture(
                        registry.register(ServerEndpoint.regular("http://10.0.0.2:20000"))));
        return new RouterKeeper(
                policy,
                fresh,
                journal,
                change::next,
                url -> {},
                registry,
                url -> TestRouters.port(fresh, () -> publishes.test(last())),
                new TestRouters.Store<RouterKeeper.Kept>());
    }

    @AfterEach
    void end() {
        change.close();
        keeper.close();
        loops.forEach(ThreadLoop::close);
        assertThat(kept.kept).isNull();
    }

    private void apply(Map<String, Object> changes) {
        change.apply(keeper, changes, keeper.journal(), LONG);
    }

    private Router last() {
        return routers.get(routers.size() - 1);
    }

    private List<String> told() {
        return keeper.journal().from(0).stream()
                .filter(event -> event.kind() == EventKind.ARGUMENTS)
                .map(Event::text)
                .toList();
    }

    @Test
    void theNewRouterIsRehearsedElsewhereAndThenTakesThePlace() {
        apply(FRESH);
        assertThat(routers).hasSize(3);
        Router rehearsal = routers.get(1);
        assertThat(rehearsal.isRehearsal()).isTrue();
        assertThat(rehearsal.with).containsEntry("policy", "round_robin").containsEntry("port", null);
        assertThat(rehearsal.state).isEqualTo(WorkerState.STOPPED);
        assertThat(routers.get(0).state).isEqualTo(WorkerState.STOPPED);
        assertThat(last().with).containsEntry("policy", "round_robin");
        assertThat(last().incarnation.port()).isEqualTo(4711);
        assertThat(last().isHealthy()).isTrue();
        assertThat(told()).containsExactly("changed: policy=round_robin");
        assertThat(arguments.changes()).isEqualTo(FRESH);
    }

    @Test
    void aRehearsalTakesNoPortOfTheRouterThatServes() {
        Map<String, Object> ports =
                Map.of("prometheus_port", 29000, "health_check_port", 29001, "enable_mesh", true, "policy", "random");
        apply(ports);
        assertThat(routers.get(1).with)
                .containsEntry("prometheus_port", null)
                .containsEntry("health_check_port", null)
                .containsEntry("enable_mesh", null);
        assertThat(last().with).containsAllEntriesOf(ports);
    }

    @Test
    void whatWasChangedHoldsForLaterStartsAndForASuccessor() {
        apply(FRESH);
        keeper.restart("asked for", LONG);
        assertThat(last().with).containsEntry("policy", "round_robin");
        Map<String, Object> unset = new HashMap<>();
        unset.put("policy", null);
        unset.put("queue_size", 7);
        apply(unset);
        RouterArguments successor = arguments();
        successor.inherit();
        assertThat(successor.current())
                .containsEntry("policy", null)
                .containsEntry("queue_size", 7)
                .containsEntry("port", 4711);
    }

    @Test
    void aRehearsalThatFailsLeavesTheRouterAlone() {
        starts = router -> !router.isFresh();
        assertThatThrownBy(() -> apply(FRESH))
                .hasMessageContainingAll("policy=round_robin", "left alone", "no such file");
        assertThat(routers.get(0).isHealthy()).isTrue();
        assertThat(routers).hasSize(2);
        assertThat(arguments.changes()).isEmpty();
        assertThat(told()).singleElement().asString().startsWith("not changed, policy=round_robin");
    }

    @Test
    void aRouterThatDoesNotComeUpInThePlaceIsReplacedByTheOldOne() {
        starts = router -> !router.isFresh() || router.isRehearsal();
        assertThatThrownBy(() -> apply(FRESH)).hasMessageContainingAll("old arguments again", "no such file");
        assertThat(last().with).containsEntry("policy", "cache_aware");
        assertThat(last().incarnation.variant()).isEqualTo("-back");
        assertThat(last().isHealthy()).isTrue();
        assertThat(status(keeper).state()).isEqualTo("READY");
        assertThat(arguments.changes()).isEmpty();
        keeper.restart("asked for", LONG);
        assertThat(last().with).containsEntry("policy", "cache_aware");
    }

    @Test
    void oneThatCannotGetItsServersIsReplacedByTheOldOneToo() {
        publishes = router -> !router.isFresh();
        assertThatThrownBy(() -> change.apply(keeper, FRESH, keeper.journal(), Duration.ofMillis(300)))
                .hasMessageContainingAll("did not come up with policy=round_robin", "old arguments");
        await().atMost(LONG)
                .until(() -> "cache_aware".equals(last().with.get("policy"))
                        && status(keeper).state().equals("READY"));
        assertThat(arguments.changes()).isEmpty();
    }

    @Test
    void oneThatDiesAtOnceIsReplacedByTheOldOne() {
        keeper.close();
        keeper = keeper(new SupervisionPolicy(
                RestartMode.ALWAYS, 5, 600, 0, 0, ProbeKind.NONE, 1, 1, 2, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30));
        keeper.start();
        publishes = router -> {
            if (router.isFresh()) {
                router.dies();
            }
            return !router.isFresh();
        };
        assertThatThrownBy(() -> apply(FRESH)).hasMessageContainingAll("old arguments again", "ended by itself");
        assertThat(last().with).containsEntry("policy", "cache_aware");
        assertThat(status(keeper).state()).isEqualTo("READY");
    }

    @Test
    void whatCannotBeChangedIsRefusedBeforeAnythingHappens() {
        assertThatThrownBy(() -> apply(Map.of("port", 5))).hasMessageContaining("port cannot change");
        assertThatThrownBy(() -> apply(Map.of("api_key", "open-sesame")))
                .hasMessageContaining("api_key cannot change")
                .hasMessageNotContaining("open-sesame");
        assertThatThrownBy(() -> apply(Map.of("redis_url", "redis://me:open-sesame@db/0")))
                .hasMessageContaining("redis_url cannot change")
                .hasMessageNotContaining("open-sesame");
        assertThatThrownBy(() -> apply(Map.of("polcy", "x"))).hasMessageContaining("did you mean 'policy'?");
        assertThatThrownBy(() -> apply(Map.of())).hasMessageContaining("no argument");
        assertThat(routers).hasSize(1);
    }
}
