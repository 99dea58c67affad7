/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.workers.WorkerException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LostNodeReplannerTest {
    private final FakeEngines engines = new FakeEngines();
    private final Set<String> living = new HashSet<>(Set.of("10.0.0.1", "10.0.0.2"));
    private long seconds;
    private final LostNodeReplanner watch = new LostNodeReplanner(
            engines,
            Duration.ofSeconds(30),
            LaunchListener.NONE,
            () -> living,
            () -> Duration.ofSeconds(seconds).toNanos());

    private final class FakeEngines implements LostNodeReplanner.Engines {
        final TreeMap<Integer, EngineSlot> slots = new TreeMap<>();
        final List<Integer> missing = new ArrayList<>();
        final List<String> remarks = new ArrayList<>();
        final List<List<Integer>> moved = new ArrayList<>();

        /** Why nothing moves, if so. */
        @Nullable
        RuntimeException refusal;

        /** Why engines do not start elsewhere, if so. */
        @Nullable
        RuntimeException failure;

        int room = Integer.MAX_VALUE;

        FakeEngines() {
            FleetPlans.engines(2).forEach(this::put);
        }

        private void put(EnginePlan engine) {
            slots.put(engine.rank(), new EngineSlot(engine, FleetPlans.reservation()));
        }

        @Override
        public List<EngineSlot> where() {
            return List.copyOf(slots.values());
        }

        @Override
        public List<Integer> missing() {
            return List.copyOf(missing);
        }

        @Override
        public LostNodeReplanner.Moved replan(List<Integer> ranks, LaunchListener listener) {
            moved.add(ranks);
            if (refusal != null) {
                throw refusal;
            }
            Map<Integer, String> nodes = new TreeMap<>();
            Map<Integer, RuntimeException> failed = new TreeMap<>();
            List<Integer> noRoom = new ArrayList<>();
            for (int rank : ranks) {
                if (slots.containsKey(rank) && slots.get(rank).isOn(living)) {
                    continue;
                }
                if (nodes.size() >= room) {
                    noRoom.add(rank);
                } else if (failure != null) {
                    failed.put(rank, failure);
                } else {
                    put(FleetPlans.engines(1).get(0).atRank(rank, 9));
                    missing.remove((Integer) rank);
                    nodes.put(rank, "10.0.0.1");
                }
            }
            return new LostNodeReplanner.Moved(nodes, failed, noRoom);
        }

        @Override
        public void remark(String text) {
            remarks.add(text);
        }
    }

    private void lookAt(long second) {
        seconds = second;
        watch.look();
    }

    @Test
    void anEngineMovesWhenItsNodeIsGoneForAWhile() {
        lookAt(0);
        living.remove("10.0.0.2");
        lookAt(100);
        lookAt(129);
        assertThat(engines.moved).isEmpty();
        lookAt(130);
        assertThat(engines.moved).containsExactly(List.of(1));
        assertThat(engines.remarks).containsExactly("node 10.0.0.2 is gone: engine 1 serves on 10.0.0.1 instead");
        lookAt(200);
        assertThat(engines.moved).hasSize(1);
    }

    @Test
    void aNodeThatReturnsInTimeKeepsItsEngine() {
        living.remove("10.0.0.2");
        lookAt(100);
        living.add("10.0.0.2");
        lookAt(120);
        living.remove("10.0.0.2");
        lookAt(140);
        lookAt(169);
        assertThat(engines.moved).isEmpty();
        assertThat(engines.remarks).isEmpty();
    }

    @Test
    void withoutRoomItWaitsAndIsTriedAgain() {
        engines.room = 0;
        living.remove("10.0.0.2");
        lookAt(0);
        lookAt(30);
        lookAt(44);
        assertThat(engines.moved).hasSize(1);
        lookAt(45);
        assertThat(engines.moved).hasSize(2);
        assertThat(engines.remarks).singleElement().asString().contains("no room for engine 1 elsewhere");
        living.add("10.0.0.2");
        lookAt(60);
        assertThat(engines.remarks).last().isEqualTo("node 10.0.0.2 is back, and with it engine 1");
    }

    @Test
    void oneThatDoesNotStartIsTriedLessAndLessOften() {
        engines.slots.remove(1);
        engines.missing.add(1);
        engines.failure = new WorkerException("E", 1, "10.0.0.1", "initServer", "no such weights", null);
        List<Long> attempts = new ArrayList<>();
        for (long second = 0; second < 120; second++) {
            int before = engines.moved.size();
            lookAt(second);
            if (engines.moved.size() > before) {
                attempts.add(second);
            }
        }
        assertThat(attempts).containsExactly(0L, 30L, 90L);
        assertThat(engines.remarks).last().asString().contains("no such weights");
        engines.failure = null;
        lookAt(1000);
        assertThat(engines.missing).isEmpty();
    }

    @Test
    void anotherChangeIsWaitedForWithoutAWord() {
        engines.refusal = new LaunchException("the fleet's engines are being changed already");
        living.remove("10.0.0.2");
        lookAt(0);
        lookAt(30);
        lookAt(31);
        assertThat(engines.moved).hasSize(2);
        assertThat(engines.remarks).isEmpty();
    }

    @Test
    void theEnginesOfANodeMoveTogether() {
        engines.put(FleetPlans.engines(2).get(1).atRank(2, 3));
        engines.room = 1;
        living.remove("10.0.0.2");
        lookAt(0);
        lookAt(30);
        assertThat(engines.moved).containsExactly(List.of(1, 2));
        assertThat(engines.remarks)
                .containsExactly(
                        "node 10.0.0.2 is gone: engine 1 serves on 10.0.0.1 instead",
                        "node 10.0.0.2 is gone, and there is no room for engine 2 elsewhere: the fleet runs without it"
                                + " until there is room or the node returns");
        lookAt(45);
        assertThat(engines.moved).containsExactly(List.of(1, 2), List.of(2));
    }

    @Test
    void whatFailsIsSaidOnceAndTriedAgain() {
        living.remove("10.0.0.2");
        lookAt(0);
        engines.refusal = new IllegalArgumentException("a listener that throws");
        seconds = 30;
        watch.lookSafely();
        watch.lookSafely();
        assertThat(engines.moved).hasSize(2);
        assertThat(engines.remarks).singleElement().asString().contains("a listener that throws");
        engines.refusal = null;
        watch.lookSafely();
        assertThat(engines.remarks).last().isEqualTo("node 10.0.0.2 is gone: engine 1 serves on 10.0.0.1 instead");
    }
}
