/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.plan.BundlePlan;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.ExistingGroup;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupStrategy;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.rank.AcceleratorIds;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What holds for every plan in somebody else's placement group and for every shared one, made from a seed. */
class GroupPropertiesTest {
    private static final int SEEDS = 400;
    private static final double TOLERANCE = 1e-6;

    private static int[] gpus(Random random) {
        return IntStream.range(0, 1 + random.nextInt(4))
                .map(node -> random.nextInt(5))
                .toArray();
    }

    private static List<List<Integer>> processes(Random random, int accelerators) {
        List<List<Integer>> processes = new ArrayList<>();
        for (int rank = 0; rank < accelerators; rank++) {
            for (int sharers = random.nextInt(4) == 0 ? 2 : random.nextInt(2); sharers > 0; sharers--) {
                processes.add(List.of(rank));
            }
        }
        return processes;
    }

    private static ExistingGroup group(Random random, int[] gpus) {
        List<ExistingGroup.Bundle> bundles = new ArrayList<>();
        for (int node = 0; node < gpus.length; node++) {
            for (int left = gpus[node]; left > 0; ) {
                int size = 1 + random.nextInt(Math.min(2, left));
                bundles.add(new ExistingGroup.Bundle("id" + node, Map.of("GPU", (double) size, "CPU", 1.0)));
                left -= size;
            }
        }
        return new ExistingGroup("theirs", null, bundles);
    }

    /** The plan of a seed; empty when it is refused. */
    private static Optional<FleetPlan> plan(int seed, boolean existing) {
        Random random = new Random(seed);
        int[] gpus = gpus(random);
        Cluster cluster = Clusters.plain(gpus);
        List<List<Integer>> processes = processes(random, cluster.accelerators());
        if (processes.isEmpty()) {
            return Optional.empty();
        }
        double share = List.of(1.0, 0.5, 0.2).get(random.nextInt(3));
        ExistingGroup group = group(random, gpus);
        PlanRequest.Builder request = PlanRequest.builder(cluster)
                .server("E", "srt", 1, Map.of())
                .strategy(new FlexiblePlacementStrategy(processes, List.of()))
                .groupSettings(new GroupSettings(
                        GroupStrategy.PACK,
                        AcceleratorIds.RAY,
                        share,
                        random.nextBoolean() ? Map.of() : Map.of("CPU", 1.0, "memory", 1e9),
                        existing || share == 1 ? Map.of() : Map.of("GPU", 1 - share),
                        existing ? "theirs" : null,
                        null,
                        List.of(),
                        0));
        if (existing) {
            request.existingGroup(group);
        }
        try {
            return Optional.of(FleetPlanner.plan(request.build()));
        } catch (PlacementException refusal) {
            assertThat(refusal.getMessage()).isNotBlank();
            return Optional.empty();
        }
    }

    private static long seeds(boolean existing) {
        return IntStream.range(0, SEEDS)
                .filter(seed -> {
                    Optional<FleetPlan> plan = plan(seed, existing);
                    try {
                        plan.ifPresent(GroupPropertiesTest::holds);
                    } catch (AssertionError failure) {
                        throw new AssertionError("seed " + seed + ": " + failure.getMessage(), failure);
                    }
                    return plan.isPresent();
                })
                .count();
    }

    private static void holds(FleetPlan plan) {
        Map<Integer, Map<String, Double>> taken = new HashMap<>();
        Map<Integer, List<Integer>> devices = new HashMap<>();
        for (EnginePlan engine : plan.engines()) {
            BundlePlan bundle = plan.bundles().get(engine.bundleIndex());
            assertThat(bundle.index()).isEqualTo(engine.bundleIndex());
            assertThat(bundle.nodeIp()).isEqualTo(engine.node().ip());
            Map<String, Double> sums = taken.computeIfAbsent(bundle.index(), index -> new HashMap<>());
            engine.resources().forEach((name, amount) -> sums.merge(name, amount, Double::sum));
            boolean part = engine.resources().getOrDefault("GPU", 0.0) < 1 - TOLERANCE;
            if (part) {
                List<Integer> own = engine.placement().localHardwareRanks();
                assertThat(bundle.resources().get("GPU")).isLessThanOrEqualTo(1 + TOLERANCE);
                assertThat(devices.computeIfAbsent(bundle.index(), index -> own))
                        .as("planned devices in bundle %d", bundle.index())
                        .isEqualTo(own);
            }
        }
        taken.forEach((index, sums) -> sums.forEach((name, amount) -> assertThat(amount)
                .as("%s of bundle %d", name, index)
                .isLessThanOrEqualTo(plan.bundles().get(index).resources().getOrDefault(name, 0.0) + TOLERANCE)));
    }

    @Test
    void bundlesOfOthersAreNotOverbookedAndPartsKeepTheirDevices() {
        assertThat(seeds(true)).as("seeds that can be planned").isGreaterThan(SEEDS / 10);
    }

    @Test
    void bundlesOfTheFleetsOwnHoldEngineAndRest() {
        assertThat(seeds(false)).as("seeds that can be planned").isGreaterThan(SEEDS / 2);
    }
}
