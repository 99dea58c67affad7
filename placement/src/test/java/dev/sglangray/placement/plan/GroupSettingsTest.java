/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Fleets that share accelerators or placement groups with others. */
class GroupSettingsTest {
    private static final Cluster CLUSTER = Clusters.plain(2, 2);

    private static GroupSettings settings(String map) {
        return GroupSettingsReader.read(Config.parse("placement_group: " + map, Map.of()));
    }

    private static PlanRequest.Builder request(int width, Integer... ranks) {
        return PlanRequest.builder(CLUSTER)
                .fleetName("fleet")
                .server("E", "srt", width, Map.of())
                .hardwareRanks(List.of(ranks));
    }

    @Test
    void leavesTheRestOfEachAcceleratorToOthers() {
        FleetPlan plan = FleetPlanner.plan(request(1, 0, 1, 2)
                .groupSettings(settings("{accelerator_share: 0.2, rest: {GPU: 0.8, CPU: 4}}"))
                .router("R", Map.of())
                .build());
        assertThat(plan.engines())
                .allSatisfy(engine -> assertThat(engine.resources()).isEqualTo(Map.of("GPU", 0.2)));
        assertThat(plan.bundles().get(2).resources()).isEqualTo(Map.of("GPU", 1.0, "CPU", 4.0, "node:10.0.0.2", 0.001));
        assertThat(plan.bundles().get(3).resources()).isEqualTo(Map.of("node:10.0.0.1", 0.001));
        assertThat(plan.warnings()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0.57, 0.43", "0.29, 0.71", "0.0003, 0.9997", "0.33333, 0.66667"})
    void aShareAndItsRestAreOneAcceleratorWhateverTheFraction(double share, double rest) {
        FleetPlan plan = FleetPlanner.plan(request(1, 0, 1)
                .groupSettings(settings("{accelerator_share: %s, rest: {GPU: %s}}".formatted(share, rest)))
                .build());
        assertThat(plan.bundles())
                .allSatisfy(bundle -> assertThat(bundle.resources()).containsEntry("GPU", 1.0));
        assertThat(plan.engines().get(0).resources()).containsEntry("GPU", Math.floor(share * 10_000 + 0.01) / 10_000);
        assertThat(plan.warnings()).isEmpty();
    }

    @Test
    void aWholeAcceleratorMayBeTheRest() {
        FleetPlan plan = FleetPlanner.plan(
                request(1, 0).groupSettings(settings("{rest: {GPU: 1}}")).build());
        assertThat(plan.bundles().get(0).resources()).containsEntry("GPU", 2.0);
    }

    @Test
    void enginesThatShareTooLittleAreRefused() {
        assertThatThrownBy(() -> FleetPlanner.plan(request(1)
                        .groupSettings(settings("{accelerator_share: 0.0001}"))
                        .strategy(new FlexiblePlacementStrategy(List.of(List.of(0), List.of(0)), List.of()))
                        .build()))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining(
                        "2 engines share an accelerator share of 0.0001, so that each has less than 0.0001");
    }

    @Test
    void enginesTakeCpusAndMemoryWhereAsked() {
        FleetPlan plan = FleetPlanner.plan(request(1, 0, 1)
                .groupSettings(settings("{engine_resources: {CPU: 8, memory: 2.0e9}}"))
                .router("R", Map.of())
                .build());
        assertThat(plan.engines())
                .allSatisfy(engine ->
                        assertThat(engine.resources()).isEqualTo(Map.of("GPU", 1.0, "CPU", 8.0, "memory", 2e9)));
        assertThat(plan.bundles().get(1).resources())
                .isEqualTo(Map.of("GPU", 1.0, "CPU", 8.0, "memory", 2e9, "node:10.0.0.1", 0.001));
        assertThat(plan.bundles().get(2).resources()).isEqualTo(Map.of("node:10.0.0.1", 0.001));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{engine_resources: {GPU: 1}} | follow from its sizes",
                "{engine_resources: {'node:10.0.0.1': 1}} | The placement says",
                "{engine_resources: {CPU: 0}} | above 0, not CPU 0.0",
                "{engine_resources: 3} | a map of Ray's resources"
            })
    void refusesResourcesThatAreGivenOtherwise(String map, String message) {
        assertThatThrownBy(() -> settings(map))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void enginesThatShareAnAcceleratorShareTheFleetsPartOfIt() {
        FleetPlan plan = FleetPlanner.plan(request(1)
                .groupSettings(settings("{accelerator_share: 0.5}"))
                .strategy(new FlexiblePlacementStrategy(List.of(List.of(0), List.of(0)), List.of()))
                .build());
        assertThat(plan.engines())
                .allSatisfy(engine -> assertThat(engine.resources()).isEqualTo(Map.of("GPU", 0.25)));
        assertThat(plan.warnings()).singleElement().asString().contains("add the rest to placement_group.rest");
    }

    @Test
    void severalAcceleratorsAreGivenOutWhole() {
        assertThatThrownBy(() -> FleetPlanner.plan(request(2, 0, 1)
                        .groupSettings(settings("{accelerator_share: 0.5}"))
                        .build()))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("this engine has 2 accelerators");
    }

    @Test
    void trustingTheConfigurationReservesNoAccelerators() {
        FleetPlan plan = FleetPlanner.plan(request(1)
                .groupSettings(settings("{accelerator_ids: trust_config}"))
                .strategy(new FlexiblePlacementStrategy(List.of(List.of(0, 1), List.of(1)), List.of()))
                .build());
        assertThat(plan.bundles())
                .allSatisfy(bundle -> assertThat(bundle.resources()).isEqualTo(Map.of("node:10.0.0.1", 0.001)));
        assertThat(plan.engines())
                .extracting(engine -> engine.placement().visibleAccelerators())
                .containsExactly(List.of("0", "1"), List.of("1"));
        assertThat(plan.engines().get(0).environment()).containsEntry("CUDA_VISIBLE_DEVICES", "0,1");
    }

    @ParameterizedTest
    @CsvSource({"STRICT_PACK, 1", "SPREAD, 3", "PACK, 3", "STRICT_SPREAD, 0"})
    void keepsPromises(GroupStrategy strategy, int last) {
        Integer[] ranks = last == 0 ? new Integer[] {0} : last == 1 ? new Integer[] {0, 1} : new Integer[] {0, 1, 2, 3};
        FleetPlan plan = FleetPlanner.plan(request(1, ranks)
                .groupSettings(settings("{strategy: " + strategy + "}"))
                .build());
        assertThat(plan.group()).isEqualTo(new GroupPlan.Own("fleet", strategy));
    }

    @Test
    void refusesPromisesThatCannotBeKept() {
        assertThatThrownBy(() -> FleetPlanner.plan(request(1, 0, 1, 2)
                        .groupSettings(settings("{strategy: strict_pack}"))
                        .build()))
                .hasMessageContaining("all on one node, but they are on 2 nodes")
                .hasMessageContaining("10.0.0.1  E:0, E:1");
        assertThatThrownBy(() -> FleetPlanner.plan(request(1, 0, 1)
                        .groupSettings(settings("{strategy: STRICT_SPREAD}"))
                        .build()))
                .hasMessageContaining("each on a node of its own, but some share one")
                .hasMessageContaining("E:0, E:1");
    }

    private static ExistingGroup group(List<ExistingGroup.Bundle> bundles) {
        return new ExistingGroup("training", "other", bundles);
    }

    @Test
    void goesIntoTheBundlesOfSomebodyElse() {
        ExistingGroup group = group(List.of(
                new ExistingGroup.Bundle("id1", Map.of("GPU", 1.0, "CPU", 8.0)),
                new ExistingGroup.Bundle("id0", Map.of("GPU", 2.0)),
                new ExistingGroup.Bundle("id1", Map.of("GPU", 1.0))));
        FleetPlan plan = FleetPlanner.plan(request(1, 0, 1, 2, 3)
                .groupSettings(settings("{name: training, namespace: other}"))
                .existingGroup(group)
                .router("R", Map.of())
                .build());
        assertThat(plan.engines()).extracting(EnginePlan::bundleIndex).containsExactly(1, 1, 0, 2);
        assertThat(plan.router().orElseThrow().bundleIndex()).isEqualTo(1);
        assertThat(plan.group()).isEqualTo(new GroupPlan.Existing("training", "other"));
        assertThat(plan.bundles()).extracting(BundlePlan::nodeIp).containsExactly("10.0.0.2", "10.0.0.1", "10.0.0.2");
    }

    @Test
    void partsOfDifferentAcceleratorsGoIntoDifferentBundlesOfOne() {
        GroupSettings settings = settings("{name: training, namespace: other, accelerator_share: 0.2}");
        ExistingGroup group = group(List.of(
                new ExistingGroup.Bundle("id0", Map.of("GPU", 2.0)),
                new ExistingGroup.Bundle("id0", Map.of("GPU", 1.0)),
                new ExistingGroup.Bundle("id0", Map.of("GPU", 1.0))));
        FleetPlan plan = FleetPlanner.plan(
                request(1, 0, 1).groupSettings(settings).existingGroup(group).build());
        assertThat(plan.engines()).extracting(EnginePlan::bundleIndex).containsExactly(1, 2);
        assertThat(plan.engines().get(1).resources()).isEqualTo(Map.of("GPU", 0.2));
        FleetPlan sharing = FleetPlanner.plan(request(1)
                .strategy(new FlexiblePlacementStrategy(List.of(List.of(0), List.of(0), List.of(1)), List.of()))
                .groupSettings(settings)
                .existingGroup(group)
                .build());
        assertThat(sharing.engines()).extracting(EnginePlan::bundleIndex).containsExactly(1, 1, 2);
        assertThatThrownBy(() -> FleetPlanner.plan(request(1, 0, 1)
                        .groupSettings(settings)
                        .existingGroup(group(group.bundles().subList(0, 2)))
                        .build()))
                .hasMessageContaining("E:1: needs GPU 0.2 on node rank 0")
                .hasMessageContaining("need a bundle of one accelerator each");
    }

    @Test
    void saysWhatTheBundlesOfSomebodyElseLack() {
        ExistingGroup small =
                new ExistingGroup("training", null, List.of(new ExistingGroup.Bundle("id0", Map.of("GPU", 1.0))));
        PlanRequest.Builder request = request(1, 0, 1).groupSettings(settings("{name: training}"));
        assertThatThrownBy(() -> FleetPlanner.plan(request.existingGroup(small).build()))
                .hasMessageContaining("E:1: needs GPU 1 on node rank 0")
                .hasMessageContaining("bundle 0  on 10.0.0.1  holds GPU 1  left GPU 0");
        assertThatThrownBy(() -> FleetPlanner.plan(request(1, 0)
                        .groupSettings(settings("{name: training}"))
                        .build()))
                .hasMessageContaining("Plan against the live cluster");
    }

    @Test
    void nothingIsTheDefault() {
        assertThat(GroupSettingsReader.read(Config.parse("{}", Map.of()))).isEqualTo(GroupSettings.DEFAULT);
        assertThat(settings("null")).isEqualTo(GroupSettings.DEFAULT);
        assertThat(settings("{name: training}").existing()).contains("training");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "3 | must be a map",
                "{stratgy: PACK} | did you mean 'strategy'?",
                "{strategy: STRICT_PAK} | did you mean 'STRICT_PACK'?",
                "{accelerator_ids: mine} | TRUST_CONFIG",
                "{accelerator_share: 0} | above 0 and at most 1, not 0",
                "{accelerator_share: 1.5} | above 0 and at most 1, not 1.5",
                "{accelerator_share: 0.00005} | at least 0.0001, the smallest part that Ray counts, not 5.0E-5",
                "{rest: {CPU: 0.00001}} | a bundle's rest must be at least 0.0001, the smallest part that Ray counts, not CPU",
                "{engine_resources: {CPU: 0.00001}} | an engine's resources must be at least 0.0001",
                "{accelerator_share: 0.5, rest: {GPU: 0.8}} | more than one accelerator, and Ray gives parts of one only. The rest can be up to 0.5.",
                "{rest: {GPU: 0.5}} | more than one accelerator, and Ray gives parts of one only. Set accelerator_share below 1",
                "{rest: 3} | must be a map of Ray's resources",
                "{rest: {GPU: 0}} | must be above 0",
                "{name: x, strategy: SPREAD} | made by another program",
                "{name: x, rest: {CPU: 1}} | made by another program",
                "{namespace: x} | but no name",
                "{accelerator_ids: trust_config, accelerator_share: 0.5} | nothing is reserved in Ray"
            })
    void refusesWithThePlace(String line) {
        String[] parts = line.split(" \\| ", 2);
        assertThatThrownBy(() -> settings(parts[0]))
                .isInstanceOf(ConfigException.class)
                .extracting(failure -> ((ConfigException) failure).render())
                .asString()
                .contains(parts[1], "<text>:1", "placement_group");
    }

    private static FleetPlan ordered(String bundles, Integer... ranks) {
        ExistingGroup group = group(List.of(
                new ExistingGroup.Bundle("id1", Map.of("GPU", 1.0)),
                new ExistingGroup.Bundle("id0", Map.of("GPU", 1.0)),
                new ExistingGroup.Bundle("id1", Map.of("GPU", 1.0)),
                new ExistingGroup.Bundle("id0", Map.of("GPU", 0.1))));
        return FleetPlanner.plan(request(1, ranks)
                .groupSettings(settings(
                        "{name: training, namespace: other, accelerator_share: 0.2, bundles: " + bundles + "}"))
                .existingGroup(group)
                .router("R", Map.of())
                .build());
    }

    @Test
    void anEngineGoesIntoTheBundleThatATrainerNamesForItsRank() {
        FleetPlan plan = ordered("[2, 1, 0]", 1, 2, 3);
        assertThat(plan.engines()).extracting(EnginePlan::bundleIndex).containsExactly(2, 1, 0);
        assertThat(plan.engines()).extracting(EnginePlan::rank).containsExactly(0, 1, 2);
        assertThat(plan.engines())
                .extracting(engine -> engine.node().ip())
                .containsExactly("10.0.0.2", "10.0.0.1", "10.0.0.2");
        assertThat(plan.engines())
                .extracting(engine -> engine.placement().localRank())
                .containsExactly(0, 0, 1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[2, 1] | names 2 bundles for 3 engines",
                "[2, 1, 4] | names bundle 4, and placement group \"training\" has bundles 0 to 3",
                "[1, 3, 0] | engine 1 is to go into bundle 3 of placement group \"training\", which is on 10.0.0.1",
                "[2, 1, 2] | engine 2 needs GPU 0.2, which bundle 2"
            })
    void refusesBundlesThatDoNotFitTheEngines(String bundles, String message) {
        assertThatThrownBy(() -> ordered(bundles, 1, 2, 3))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{bundles: [0]} | but not the placement group that has them",
                "{name: g, bundles: [-1]} | there is no bundle -1",
                "{name: g, bundles: 1} | must be a list of bundles"
            })
    void refusesListsThatAreNone(String map, String message) {
        assertThatThrownBy(() -> settings(map))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }
}
