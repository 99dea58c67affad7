/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.launcher.BindHost;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupStrategy;
import dev.sglangray.placement.rank.AcceleratorIds;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.protocol.ExternalServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class LaunchOptionsTest {
    private static final GroupSettings SPREAD = new GroupSettings(
            GroupStrategy.SPREAD,
            AcceleratorIds.RAY,
            0.5,
            Map.of("CPU", 2.0),
            Map.of("CPU", 1.0),
            null,
            null,
            List.of(),
            0);

    /** None of them has its default. */
    private static final LaunchOptions OPTIONS = LaunchOptions.builder()
            .routerNodeRank(2)
            .pythonInterpreter("/opt/python")
            .reserveTimeout(Duration.ofSeconds(11))
            .healthTimeout(Duration.ofSeconds(12))
            .javaJars(List.of("gcs://jar"))
            .logDirectory("/logs")
            .fleetName("fleet")
            .namespace("space")
            .cpusPerActor(1.5)
            .pythonGateway(false)
            .groupSettings(SPREAD)
            .supervision(SupervisionPolicy.NEVER)
            .bindHost(BindHost.NODE)
            .advertiseHost("engines.example.org")
            .build();

    @Test
    void everyOptionReachesTheOwnerAsJson() throws JsonProcessingException, ReflectiveOperationException {
        ObjectMapper json = new ObjectMapper();
        assertAllDiffer(OPTIONS, LaunchOptions.DEFAULT);
        assertThat(json.readValue(json.writeValueAsString(OPTIONS), LaunchOptions.class))
                .isEqualTo(OPTIONS);
        assertThat(json.readValue(json.writeValueAsString(LaunchOptions.DEFAULT), LaunchOptions.class))
                .isEqualTo(LaunchOptions.DEFAULT);
        assertThat(OPTIONS.toBuilder().build()).isEqualTo(OPTIONS);
    }

    @Test
    void everyOptionOfAGroupReachesIt() throws ReflectiveOperationException {
        GroupOptions group = OPTIONS.groupOptions(Map.of(), List.of(), true);
        assertAllDiffer(
                OPTIONS.groupOptions(
                        Map.of("a", new GroupOptions.PoolOptions(SupervisionPolicy.NEVER, false)),
                        List.of(new ExternalServer(ServerEndpoint.regular("http://a:1"), null)),
                        true),
                GroupOptions.defaults());
        assertThat(group)
                .isEqualTo(new GroupOptions(
                        List.of("gcs://jar"),
                        Duration.ofSeconds(12),
                        "/logs",
                        SupervisionPolicy.NEVER,
                        BindHost.NODE,
                        "engines.example.org",
                        Map.of(),
                        List.of(),
                        true));
        assertThat(LaunchOptions.DEFAULT.groupOptions(Map.of(), List.of(), false))
                .isEqualTo(GroupOptions.defaults());
    }

    @Test
    void whatTheBlockSaysHoldsWhereNoOptionDoes() {
        FleetSpec spec = FleetSpec.of(Config.parse("""
                cluster: {num_nodes: 1, component_placement: {rollout: 0}}
                router_server_args:
                  model_path: /model
                  tensor_parallel_size: 1
                  pipeline_parallel_size: 1
                  bind_host: node
                  advertise_host: block.example.org
                  placement_group: {strategy: SPREAD}
                  supervision: {restart: never}
                  server: {model_path: /model}
                  router: {}
                """));
        LaunchOptions settled = LaunchOptions.DEFAULT.withSettingsOf(spec);
        assertThat(settled.bindHost()).isEqualTo(BindHost.NODE);
        assertThat(settled.advertiseHost()).isEqualTo("block.example.org");
        assertThat(settled.groupSettings()).isEqualTo(spec.groupSettings());
        assertThat(spec.groupSettings().strategy()).isEqualTo(GroupStrategy.SPREAD);
        assertThat(settled.supervision()).isEqualTo(spec.supervision()).isNotEqualTo(SupervisionPolicy.DEFAULT);
        assertThat(OPTIONS.withSettingsOf(spec)).isEqualTo(OPTIONS);
    }

    private static final String POOLS = """
            cluster: {num_nodes: 1, component_placement: {rollout: 0-3}}
            router_server_args:
              model_path: /m
              tensor_parallel_size: 1
              pipeline_parallel_size: 1
              server: {model_path: "${..model_path}"}
              router: {}
              supervision: {max_restarts: 7, restart_window_s: 99}
              external_engines: [{url: "HTTP://Other:80/", api_key: k, weight_version: 4}, {url: "http://two:1"}]
              pools:
                - {name: actor, engines: 1}
                - {name: judge, model_path: /judge, engines: 1, supervision: {max_restarts: 0, probe: null}}
            """;

    @Test
    void aPoolHasItsOwnSupervisionAndTheWeightsOfItsModel() {
        FleetSpec spec =
                FleetSpec.of(Config.parse(POOLS.replace("weight_version: 4}, {", "model: /m}, {model: /judge, ")));
        GroupOptions group = spec.groupOptions(LaunchOptions.DEFAULT, false);

        GroupOptions.PoolOptions actor = Objects.requireNonNull(group.pools().get("actor"));
        GroupOptions.PoolOptions judge = Objects.requireNonNull(group.pools().get("judge"));
        assertThat(actor.supervision()).isEqualTo(spec.supervision());
        assertThat(actor.updateWeights()).isTrue();
        assertThat(judge.supervision().maxRestarts()).isZero();
        assertThat(judge.supervision().restartWindowSeconds()).isEqualTo(99);
        assertThat(judge.updateWeights()).isFalse();
        assertThat(group.externalServers())
                .extracting(
                        server -> server.endpoint().url(),
                        server -> server.endpoint().model(),
                        server -> server.endpoint().updateWeights())
                .containsExactly(tuple("http://other:80", "/m", true), tuple("http://two:1", "/judge", false));
        assertThat(Objects.requireNonNull(
                                spec.groupOptions(OPTIONS, false).pools().get("judge"))
                        .supervision())
                .as("as the launch says")
                .isEqualTo(SupervisionPolicy.NEVER);
    }

    @Test
    void whatHoldsForTheWholeFleetIsNoMatterOfAPool() {
        FleetSpec spec =
                FleetSpec.of(Config.parse(POOLS.replace("weight_version: 4}, {", "model: /m}, {model: /judge, ")
                        .replace("max_restarts: 0, probe: null", "on_node_loss: wait, probe: nope")));
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> spec.groupOptions(LaunchOptions.DEFAULT, false))
                .withMessageContaining("router_server_args.pools[1].supervision.on_node_loss")
                .withMessageContaining("set it in router_server_args.supervision")
                .withMessageContaining("router_server_args.pools[1].supervision.probe");
    }

    @Test
    void aPoolWhoseSupervisionIsNullHasThatOfTheBlock() {
        FleetSpec spec =
                FleetSpec.of(Config.parse(POOLS.replace("weight_version: 4}, {", "model: /m}, {model: /judge, ")
                        .replace("{max_restarts: 0, probe: null}", "null")));
        assertThat(Objects.requireNonNull(spec.groupOptions(LaunchOptions.DEFAULT, false)
                                .pools()
                                .get("judge"))
                        .supervision())
                .isEqualTo(spec.supervision());
    }

    @Test
    void twoItemsForOneExternalEngineAreRefused() {
        FleetSpec spec = FleetSpec.of(Config.parse(POOLS.replace(
                "weight_version: 4}, {url: \"http://two:1\"", "model: /m}, {model: /judge, url: \"http://other/\"")));
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> spec.groupOptions(LaunchOptions.DEFAULT, false))
                .withMessageContaining("external_engines[1].url: there are two items for one engine, http://other:80");
    }

    @Test
    void anExternalEngineOfOneOfSeveralModelsSaysWhich() {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> FleetSpec.of(Config.parse(POOLS)))
                .withMessageContaining("router_server_args.external_engines[0]")
                .withMessageContaining("the fleet serves several models");
    }

    @Test
    void aHostThatIsAUrlIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LaunchOptions.builder()
                        .advertiseHost("http://engines.example.org")
                        .build())
                .withMessageStartingWith("the advertised host ");
    }

    private static void assertAllDiffer(Record some, Record others) throws ReflectiveOperationException {
        for (RecordComponent component : some.getClass().getRecordComponents()) {
            assertThat(component.getAccessor().invoke(some))
                    .as(component.getName())
                    .isNotEqualTo(component.getAccessor().invoke(others));
        }
    }
}
