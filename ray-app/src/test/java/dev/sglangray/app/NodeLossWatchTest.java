/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.placement.EnginePlan;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.workers.WorkerException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NodeLossWatchTest {
    private final FakeEngines engines = new FakeEngines();
    private final Set<String> living = new HashSet<>(Set.of("10.0.0.1", "10.0.0.2"));
    private long seconds;
    private final NodeLossWatch watch = new NodeLossWatch(
            engines,
            Duration.ofSeconds(30),
            LaunchListener.NONE,
            () -> living,
            () -> Duration.ofSeconds(seconds).toNanos());

    private static final class FakeEngines implements NodeLossWatch.Engines {
        final TreeMap<Integer, Berth> berths = new TreeMap<>();
        final List<Integer> missing = new ArrayList<>();
        final List<String> remarks = new ArrayList<>();
        final List<Integer> moved = new ArrayList<>();

        @Nullable
        RuntimeException refusal;

        FakeEngines() {
            FleetPlans.engines(2).forEach(this::put);
        }

        private void put(EnginePlan engine) {
            berths.put(engine.rank(), new Berth(engine, FleetPlans.reservation()));
        }

        @Override
        public List<Berth> where() {
            return List.copyOf(berths.values());
        }

        @Override
        public List<Integer> missing() {
            return List.copyOf(missing);
        }

        @Override
        public String replan(int rank, LaunchListener listener) {
            moved.add(rank);
            if (refusal != null) {
                throw refusal;
            }
            put(FleetPlans.engines(1).get(0).atRank(rank, 2));
            missing.remove((Integer) rank);
            return "10.0.0.1";
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
        assertThat(engines.moved).containsExactly(1);
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
        engines.refusal = PlacementException.of("no room");
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
        engines.berths.remove(1);
        engines.missing.add(1);
        engines.refusal = new WorkerException("E", 1, "10.0.0.1", "initServer", "no such weights", null);
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
        engines.refusal = null;
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
}
