/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.Config;
import dev.sglangray.config.launcher.BindHost;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupStrategy;
import dev.sglangray.placement.rank.AcceleratorIds;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
            List.of());

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
        GroupOptions group = OPTIONS.groupOptions(true);
        assertAllDiffer(group, GroupOptions.defaults());
        assertThat(group)
                .isEqualTo(new GroupOptions(
                        List.of("gcs://jar"),
                        Duration.ofSeconds(12),
                        "/logs",
                        SupervisionPolicy.NEVER,
                        BindHost.NODE,
                        "engines.example.org",
                        true));
        assertThat(LaunchOptions.DEFAULT.groupOptions(false)).isEqualTo(GroupOptions.defaults());
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
