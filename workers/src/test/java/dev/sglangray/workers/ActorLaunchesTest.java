/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.launcher.BindHost;
import dev.sglangray.config.launcher.RouterType;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.workers.process.RouterSpec;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.protocol.ProtocolJson;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ActorLaunchesTest {
    private static final GroupOptions OPTIONS = GroupOptions.defaults()
            .withServerHealthTimeout(Duration.ofSeconds(90))
            .withLogDirectory("/logs");

    private final FleetPlan plan = plan();

    private static FleetPlan plan() {
        return plan(Map.of("tp_size", 2));
    }

    private static FleetPlan plan(Map<String, Object> server) {
        ClusterSnapshot snapshot = new ClusterSnapshot(
                List.of(NodeSnapshot.of("n0", "10.0.0.1", 4, AcceleratorType.NV_GPU, "H100", null)), "n0");
        Config root = Config.parse("cluster: {num_nodes: 1, component_placement: {rollout: all}}");
        return FleetPlanner.plan(PlanRequest.builder(Cluster.of(ClusterConfig.from(root), snapshot))
                .server("Engines", "srt", 2, server)
                .router("Router", RouterType.SMG, Map.of("policy", "cache_aware"))
                .hardwareRanks(List.of(0, 1, 2, 3))
                .cpusPerActor(0.5)
                .build());
    }

    @Test
    void anEngineTakesAllOfItsBundleButThePin() {
        List<ActorLaunch<ServerSpec>> launches = ActorLaunches.servers(plan, OPTIONS);

        assertThat(launches).extracting(ActorLaunch::bundleIndex).containsExactly(0, 1);
        assertThat(launches).extracting(ActorLaunch::node).containsOnly("10.0.0.1");
        assertThat(launches).extracting(ActorLaunch::resources).containsOnly(Map.of("GPU", 2.0, "CPU", 0.5));
    }

    @Test
    void aSpecCarriesThePlanAndSurvivesTheWayToTheActor() {
        ServerSpec spec = ActorLaunches.servers(plan, OPTIONS).get(1).spec();

        assertThat(spec.actorName()).isEqualTo("Engines:1");
        assertThat(spec.groupSize()).isEqualTo(2);
        assertThat(spec.deviceVariable()).isEqualTo("CUDA_VISIBLE_DEVICES");
        assertThat(spec.plannedDevices()).containsExactly("2", "3");
        assertThat(spec.healthTimeoutSeconds()).isEqualTo(90);
        assertThat(spec.logDirectory()).isEqualTo("/logs");
        assertThat(ProtocolJson.read(ProtocolJson.write(spec), ServerSpec.class))
                .isEqualTo(spec);
    }

    @Test
    void whereEnginesListenIsNotConfiguredButMayBeTheNodesAddressAlone() {
        FleetPlan configured = plan(Map.of("host", "127.0.0.1", "port", 30000, "dist_init_addr", "x:1", "tp_size", 2));

        assertThat(ActorLaunches.servers(configured, OPTIONS))
                .allSatisfy(launch -> assertThat(launch.spec().serverArgs()).isEqualTo(Map.of("tp_size", 2)));
        GroupOptions node = OPTIONS.withBindHost(BindHost.NODE);
        assertThat(ActorLaunches.servers(configured, node))
                .allSatisfy(launch ->
                        assertThat(launch.spec().serverArgs()).isEqualTo(Map.of("tp_size", 2, "host", "10.0.0.1")));
        assertThat(ActorLaunches.router(configured, node).orElseThrow().spec().routerArgs())
                .isEqualTo(Map.of("policy", "cache_aware", "host", "10.0.0.1"));
    }

    @Test
    void enginesAreReachedAtTheHostThatIsAdvertised() {
        GroupOptions options = OPTIONS.withAdvertiseHost("engines.example.org").withBindHost(BindHost.ALL);

        ServerSpec spec = ActorLaunches.servers(plan, options).get(1).spec();
        assertThat(spec.advertiseHost()).isEqualTo("engines.example.org");
        assertThat(ProtocolJson.read(ProtocolJson.write(spec), ServerSpec.class))
                .isEqualTo(spec);
        assertThat(ActorLaunches.servers(plan, OPTIONS).get(1).spec().advertiseHost())
                .isNull();
    }

    @Test
    void theRouterTakesNoAccelerator() {
        ActorLaunch<RouterSpec> router = ActorLaunches.router(plan, OPTIONS).orElseThrow();

        assertThat(router.bundleIndex()).isEqualTo(2);
        assertThat(router.resources()).isEqualTo(Map.of("CPU", 0.5));
        assertThat(router.spec().routerType()).isEqualTo("smg");
        assertThat(router.spec().routerArgs()).isEqualTo(Map.of("policy", "cache_aware"));
        assertThat(ProtocolJson.read(ProtocolJson.write(router.spec()), RouterSpec.class))
                .isEqualTo(router.spec());
    }
}
