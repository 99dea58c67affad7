/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.strategy.ComponentPlacement;
import java.lang.management.ManagementFactory;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A plan's cost grows as the plan does. What is counted, not timed: the bytes that planning allocates, and how often it looks at
 * the resources and labels of a node.
 */
class PlanScaleTest {
    private static final int NODES = 10_000;
    private static final int PER_NODE = 10;
    private static final long MEMORY = 512L << 20;

    /** Twice as many nodes cost at most this much more. */
    private static final double DOUBLE = 2.3;

    /** Ways to describe a fleet on so many nodes. */
    private enum Shape {
        /** One range, packed. */
        PACKED,
        /** Each node with its own part of the placement. */
        PARTS,
        /** Each node its own group, all named. */
        GROUPS,
        /** One group, chosen by labels. */
        LABELS;

        String placement(int nodes) {
            return switch (this) {
                case PACKED -> "rollout: 0-" + (nodes * PER_NODE - 1);
                case PARTS -> parts(nodes);
                case GROUPS -> "rollout: {node_group: \"" + names(nodes) + "\", placement: all}";
                case LABELS -> "rollout: {node_group: chosen, placement: all}";
            };
        }

        String groups(int nodes) {
            return switch (this) {
                case PACKED, PARTS -> "[]";
                case GROUPS -> PlanScaleTest.groups(nodes);
                case LABELS -> "[{label: chosen, node_ranks: {ray_labels: gpu in (h100), ray_resource: GPU}}]";
            };
        }
    }

    private static String parts(int nodes) {
        StringBuilder text = new StringBuilder("rollout: \"");
        for (int node = 0; node < nodes; node++) {
            int first = node * PER_NODE;
            text.append(node == 0 ? "" : ",").append(first).append('-').append(first + PER_NODE - 1);
        }
        return text.append('"').toString();
    }

    private static String names(int nodes) {
        List<String> names = new ArrayList<>();
        for (int node = 0; node < nodes; node++) {
            names.add("g" + node);
        }
        return String.join(",", names);
    }

    private static String groups(int nodes) {
        List<String> groups = new ArrayList<>();
        for (int node = 0; node < nodes; node++) {
            groups.add("{label: g%d, node_ranks: %d}".formatted(node, node));
        }
        return "[" + String.join(",", groups) + "]";
    }

    /** A map that counts how often somebody looks into it. */
    private static final class Counted<V> extends AbstractMap<String, V> {
        private final Map<String, V> map;
        private final LongAdder lookups;

        Counted(Map<String, V> map, LongAdder lookups) {
            this.map = map;
            this.lookups = lookups;
        }

        @Override
        public Set<Entry<String, V>> entrySet() {
            lookups.increment();
            return map.entrySet();
        }

        @Override
        public boolean containsKey(@Nullable Object key) {
            lookups.increment();
            return map.containsKey(key);
        }

        @Override
        public @Nullable V get(@Nullable Object key) {
            lookups.increment();
            return map.get(key);
        }
    }

    private static ClusterSnapshot snapshot(int nodes, boolean ranked, LongAdder lookups) {
        List<NodeSnapshot> all = new ArrayList<>();
        for (int i = 0; i < nodes; i++) {
            Map<String, Double> resources = Map.of("GPU", (double) PER_NODE);
            Map<String, String> labels = Map.of("gpu", "h100");
            all.add(new NodeSnapshot(
                    "id" + i,
                    "10.%d.%d.%d".formatted(i >> 16, i >> 8 & 255, i & 255),
                    "",
                    OrderedMap.of(() -> new Counted<>(labels, lookups)),
                    OrderedMap.of(() -> new Counted<>(resources, lookups)),
                    PER_NODE,
                    AcceleratorType.NV_GPU,
                    "H100",
                    ranked ? Integer.valueOf(i) : null));
        }
        return new ClusterSnapshot(all, "id0");
    }

    private record Cost(long bytes, long lookups) {}

    private static Cost cost(Shape shape, int nodes) {
        Config config = Config.parse("""
                cluster:
                  num_nodes: %d
                  component_placement: {%s}
                  node_groups: %s
                """.formatted(nodes, shape.placement(nodes), shape.groups(nodes)), Map.of());
        ClusterConfig section = ClusterConfig.from(config);
        LongAdder lookups = new LongAdder();
        ClusterSnapshot snapshot = snapshot(nodes, shape != Shape.LABELS, lookups);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        Cluster cluster = Cluster.of(section, snapshot);
        ComponentPlacement placement = ComponentPlacement.of(section, cluster);
        FleetPlan plan = FleetPlanner.plan(PlanRequest.builder(cluster)
                .server("E", "srt", 2, Map.of("tp_size", 2))
                .router("R", Map.of())
                .hardwareRanks(placement.getHardwareRanks("rollout"))
                .nodeGroups(placement.getNodeGroups("rollout"))
                .build());
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(plan.engines()).hasSize(nodes * PER_NODE / 2);
        assertThat(plan.bundles()).hasSize(nodes * PER_NODE / 2 + 1);
        assertEachOnce(plan, nodes * PER_NODE);
        return new Cost(bytes, lookups.sum());
    }

    private static void assertEachOnce(FleetPlan plan, int accelerators) {
        int handedOut = 0;
        Set<Integer> given = new HashSet<>();
        for (EnginePlan engine : plan.engines()) {
            for (int accelerator : engine.placement().localHardwareRanks()) {
                handedOut++;
                given.add(engine.node().rank() * PER_NODE + accelerator);
            }
        }
        assertThat(handedOut).isEqualTo(accelerators);
        assertThat(given).hasSize(accelerators);
    }

    @ParameterizedTest
    @EnumSource
    void aHundredThousandAcceleratorsCostTwiceAsMuchAsHalfOfThem(Shape shape) {
        cost(shape, 100);
        Cost half = cost(shape, NODES / 2);
        Cost whole = cost(shape, NODES);
        assertThat(whole.bytes())
                .as("bytes allocated in all for %d nodes, %d for half of them", NODES, half.bytes())
                .isLessThan(MEMORY)
                .isLessThan((long) (half.bytes() * DOUBLE));
        assertThat(whole.lookups())
                .as("lookups, %d for half of the nodes", half.lookups())
                .isLessThanOrEqualTo((long) (half.lookups() * DOUBLE));
    }
}
