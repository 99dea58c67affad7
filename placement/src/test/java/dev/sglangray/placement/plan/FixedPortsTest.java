/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.config.Config;
import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.cluster.Cluster;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FixedPortsTest {
    private static Map<String, @Nullable Object> map(String yaml) {
        Map<String, @Nullable Object> values = new HashMap<>();
        Config config = Config.parse(yaml);
        IntStream.range(0, config.keys().size())
                .forEach(i -> values.put(
                        config.keys().get(i), config.children().get(i).toJava()));
        return values;
    }

    private static FleetPlan plan(Cluster cluster, String type, String server, String router) {
        return FleetPlanner.plan(PlanRequest.builder(cluster)
                .server("E", type, 1, map(server))
                .hardwareRanks(List.of(0, 1))
                .router("R", map(router))
                .build());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{grpc_port: 9000}",
                "{gated_launch_port: '9000'}",
                "{a_port_of_the_next_version_port: 9000}",
                "{disaggregation_mode: prefill, disaggregation_bootstrap_port: 9000}",
                "{disaggregation_mode: decode, enable_pd_role_switch: true, disaggregation_bootstrap_port: 9000}",
                "{language_only: true, encoder_bootstrap_port: 9000}",
                "{dp_size: 2, nccl_port: 9000}",
                "{remote_instance_weight_loader_start_seed_via_transfer_engine: true, engine_info_bootstrap_port: 9000}",
                "{decoupled_spec_bind_endpoint: 'tcp://127.0.0.1:9000'}",
                "{kv_events_config: '{\"publisher\": \"zmq\", \"endpoint\": \"tcp://*:9000\"}'}",
                "{kv_events_config: '{\"publisher\": \"zmq\", \"endpoint\": \"tcp://127.0.0.1:9000\", \"bind\": true}'}"
            })
    void twoEnginesOfANodeCannotListenAtOnePort(String server) {
        FixedPorts.Clash clash =
                FixedPorts.clash(plan(Clusters.plain(2), "srt", server, "{}")).orElseThrow();

        assertThat(clash.ofRouter()).isFalse();
        assertThat(map(server)).containsKey(clash.key());
        assertThat(clash.message())
                .isEqualTo(
                        "E:0 and E:1 are both on node rank 0 (10.0.0.1), where one process only can listen at port 9000");
        assertThat(clash.fix()).contains("leave it unset");
        assertThat(FixedPorts.clash(plan(Clusters.plain(1, 1), "srt", server, "{}")))
                .as("one engine on each node")
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{port: 9000}",
                "{grpc_port: null}",
                "{nccl_port: 9000}",
                "{nccl_port: 9000, dp_size: 2, enable_dp_attention: true}",
                "{disaggregation_mode: decode, disaggregation_bootstrap_port: 9000}",
                "{disaggregation_bootstrap_port: 9000}",
                "{encoder_bootstrap_port: 9000}",
                "{engine_info_bootstrap_port: 9000}",
                "{remote_instance_weight_loader_seed_instance_service_port: 9000}",
                "{kv_events_config: '{\"publisher\": \"zmq\", \"endpoint\": \"tcp://10.9.9.9:9000\"}'}",
                "{kv_events_config: '{\"endpoint\": \"tcp://*:9000\"}'}",
                "{kv_events_config: 'no json'}"
            })
    void portsThatAnEngineDoesNotListenAtAreFree(String server) {
        assertThat(FixedPorts.clash(plan(Clusters.plain(2), "srt", server, "{}")))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{scheduler_port: 5600} |",
                "{scheduler_port: 5600, strict_ports: true} | scheduler_port",
                "{webui_port: 5600} |",
                "{webui_port: 5600, webui: true} | webui_port",
                "{nccl_port: 5600} |"
            })
    void anEmbodiedEngineTakesTheNextPortUnlessItMustNot(String server, @Nullable String key) {
        assertThat(FixedPorts.clash(plan(Clusters.plain(2), "embodied", server, "{}"))
                        .map(FixedPorts.Clash::key)
                        .orElse(null))
                .isEqualTo(key);
    }

    @Test
    void aRouterAndAnEngineOfItsNodeCannotHaveOnePort() {
        FleetPlan together = plan(Clusters.plain(1, 1), "srt", "{grpc_port: 9000}", "{port: 9000}");
        FixedPorts.Clash clash = FixedPorts.clash(together).orElseThrow();
        assertThat(clash.key()).isEqualTo("grpc_port");
        assertThat(clash.message())
                .isEqualTo(
                        "R:0 and E:0 are both on node rank 0 (10.0.0.1), where one process only can listen at port 9000,"
                                + " which has it as router.port");
        assertThat(FixedPorts.clash(plan(Clusters.plain(1, 1), "srt", "{grpc_port: 9000}", "{port: 9001}")))
                .isEmpty();
        assertThat(FixedPorts.clash(plan(
                        Clusters.plain(1, 1), "srt", "{grpc_port: 9000}", "{port: 9001, health_check_port: 9000}")))
                .isPresent();
    }

    @Test
    void portsOfRanksThatAreDataParallelFollowEachOther() {
        String events = "{dp_size: 3, grpc_port: 5559, kv_events_config: '{\"publisher\": \"zmq\"}'}";
        assertThat(FixedPorts.ofEngine("srt", map(events)))
                .containsOnlyKeys(5557, 5558, 5559)
                .containsEntry(5559, "grpc_port");
    }
}
