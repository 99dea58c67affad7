/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClusterConfigTest {
    private static final String FULL = """
            cluster:
              num_nodes: 4
              component_placement:
                rollout: {node_group: [4090, a800], placement: 0-3}
                actor,critic: all
                env: {node_group: "robots, a800", placement: 0}
              node_groups:
                - label: 4090
                  node_ranks: 0-1
                  env_configs:
                    - node_ranks: 0
                      python_interpreter_path: /opt/py/bin/python
                      env_vars:
                        - IFACE: eth0
                        - DEBUG: on
                    - node_ranks: 1
                - label: a800
                  node_ranks: 2
                  ignore_hardware: true
                - label: robots
                  node_ranks: [3]
                  hardware:
                    type: Franka
                    configs:
                      - {node_rank: 3, robot_ip: 10.0.0.9}
            """;

    @Test
    void readsEverything() {
        ClusterConfig cluster = ClusterConfig.from(Config.parse(FULL));

        assertThat(cluster.numNodes()).isEqualTo(4);
        assertThat(cluster.warnings()).isEmpty();
        assertThat(cluster.componentPlacement())
                .extracting(
                        ComponentConfig::name,
                        ComponentConfig::nodeGroups,
                        c -> c.placement().value())
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("rollout", List.of("4090", "a800"), "0-3"),
                        org.assertj.core.groups.Tuple.tuple("actor,critic", List.of(), "all"),
                        org.assertj.core.groups.Tuple.tuple("env", List.of("robots", "a800"), 0));
        NodeGroupConfig first = cluster.nodeGroups().get(0);
        assertThat(first.label()).isEqualTo("4090");
        assertThat(first.nodeRanks().value()).isEqualTo("0-1");
        assertThat(first.nodeRanks().position().line()).isEqualTo(9);
        assertThat(first.envConfigs()).hasSize(2);
        assertThat(first.envConfigs().get(0).pythonInterpreter()).contains("/opt/py/bin/python");
        assertThat(first.envConfigs().get(0).envVars()).containsExactly(entry("IFACE", "eth0"), entry("DEBUG", "True"));
        assertThat(cluster.nodeGroups().get(1).ignoreHardware()).isTrue();
        NodeGroupConfig robots = cluster.nodeGroups().get(2);
        assertThat(robots.nodeRanks().value()).isEqualTo(List.of(3));
        assertThat(robots.hardwareType()).isEqualTo("Franka");
        assertThat(robots.hardware())
                .hasValueSatisfying(hardware -> assertThat(hardware.units())
                        .singleElement()
                        .satisfies(unit -> assertThat(unit.settings()).containsEntry("robot_ip", "10.0.0.9")));
    }

    @Test
    void reportsAllProblemsAtOnce() {
        String yaml = """
                cluster:
                  num_nodes: "4"
                  component_placement:
                    rollout: {node_grup: a, placement: 0}
                    actor: {node_group: a}
                  node_groups:
                    - lable: a
                      node_ranks: 0
                    - label: node
                      node_ranks: 0
                      env_configs:
                        - env_vars: {A: 1}
                """;

        assertThatThrownBy(() -> ClusterConfig.from(Config.parse(yaml)))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        e -> assertThat(e.problems())
                                .extracting(
                                        ConfigProblem::key, p -> p.position().line())
                                .contains(
                                        org.assertj.core.groups.Tuple.tuple("cluster.num_nodes", 2),
                                        org.assertj.core.groups.Tuple.tuple(
                                                "cluster.component_placement.rollout.node_grup", 4),
                                        org.assertj.core.groups.Tuple.tuple(
                                                "cluster.component_placement.actor.placement", 5),
                                        org.assertj.core.groups.Tuple.tuple("cluster.node_groups[0].lable", 7),
                                        org.assertj.core.groups.Tuple.tuple("cluster.node_groups[0].label", 7),
                                        org.assertj.core.groups.Tuple.tuple("cluster.node_groups[1].label", 9),
                                        org.assertj.core.groups.Tuple.tuple(
                                                "cluster.node_groups[1].env_configs[0].node_ranks", 12),
                                        org.assertj.core.groups.Tuple.tuple(
                                                "cluster.node_groups[1].env_configs[0].env_vars", 12)))
                .hasMessageContaining("did you mean 'node_group'?")
                .hasMessageContaining("did you mean 'label'?")
                .hasMessageContaining("write '-' before each variable");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "num_nodes: 0 | at least 1, not 0",
                "node_groups: {label: a} | must be a list",
                "node_groups: [a] | must be a map",
                "node_groups: [{label: a, node_ranks: 0}, {label: a, node_ranks: 1}] | already taken",
                "node_groups: [{label: a, node_ranks: 0, hardware: x}] | must be a map with type",
                "node_groups: [{label: a, node_ranks: 0, hardware: {type: Frnka, configs: []}}] | did you mean 'Franka'?",
                "node_groups: [{label: a, node_ranks: 0, hardware: {type: Franka}}] | configs: is required",
                "node_groups: [{label: a, node_ranks: 0, ignore_hardware: maybe}] | true or false",
                "node_groups: [{label: a, node_ranks: 0, ignore_hardware: true, hardware: {type: Franka, configs: []}}]"
                        + " | together with ignore_hardware",
                "node_groups: [{label: a, node_ranks: 0, env_configs: [{node_ranks: 0, env_vars: [{A: 1, B: 2}]}]}]"
                        + " | one 'NAME: value'",
                "node_groups: [{label: a, node_ranks: 0, env_configs: [{node_ranks: 0, env_vars: [{A: 1}, {A: 2}]}]}]"
                        + " | already set",
                "node_groups: [{label: a, node_ranks: 0, env_configs: [{node_ranks: 0, env_vars: [{'': 1}]}]}]"
                        + " | '' cannot be the name of an environment variable",
                "node_groups: [{label: a, node_ranks: 0, env_configs: [{node_ranks: 0, env_vars: [{A=B: 1}]}]}]"
                        + " | 'A=B' cannot be the name of an environment variable",
                "num_node: 2 | did you mean 'num_nodes'?",
                "node_group: [] | did you mean 'node_groups'?",
                "profilling: {} | did you mean 'profiling'?",
                "component_placment: {} | did you mean 'component_placement'?",
                "profiling: {backend: nsigth} | did you mean 'nsight'?"
            })
    void refuses(String field, String message) {
        String nodes = field.startsWith("num_nodes") ? "" : "  num_nodes: 2\n";
        String yaml = "cluster:\n" + nodes + "  component_placement: {a: all}\n  " + field + "\n";

        assertThatThrownBy(() -> ClusterConfig.from(Config.parse(yaml)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void warnsOfWhatHasNoEffect() {
        ClusterConfig cluster = ClusterConfig.from(
                Config.parse("cluster: {num_nodes: 1, component_placement: {a: {placement: all, extra: 1}}}"));

        assertThat(cluster.warnings())
                .singleElement()
                .satisfies(warning -> assertThat(warning.key()).isEqualTo("cluster.component_placement.a.extra"));
    }

    @Test
    void keysOfOtherProgramsAreWarnedOf() {
        ClusterConfig cluster = ClusterConfig.from(
                Config.parse("cluster: {num_nodes: 1, component_placement: {a: all}, net_emulation: {delay: 1}}"));

        assertThat(cluster.warnings()).singleElement().satisfies(warning -> {
            assertThat(warning.key()).isEqualTo("cluster.net_emulation");
            assertThat(warning.message()).isEqualTo("has no effect here");
            assertThat(warning.allowed()).contains("num_nodes", "node_groups");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"Piper", "UR5e", "DOSW2", "AlohaMobile"})
    void robotsOfForksAreTakenAsTheyAre(String type) {
        ClusterConfig cluster = ClusterConfig.from(Config.parse("""
                cluster:
                  num_nodes: 1
                  component_placement: {env: {node_group: robots, placement: 0-1}}
                  node_groups:
                    - label: robots
                      node_ranks: 0
                      hardware:
                        type: TYPE
                        configs:
                          - {node_rank: 0, can_port: can0}
                          - {node_rank: 0, can_port: can1}
                """.replace("TYPE", type)));

        assertThat(cluster.nodeGroups().get(0).hardware()).hasValueSatisfying(hardware -> {
            assertThat(hardware.type()).isEqualTo(type);
            assertThat(hardware.units()).hasSize(2);
        });
        assertThat(cluster.warnings())
                .singleElement()
                .satisfies(warning -> assertThat(warning.message()).contains("unknown hardware type '" + type + "'"));
    }

    @Test
    void switchesWrittenAsTextMeanWhatTheySay() {
        ClusterConfig cluster = ClusterConfig.from(Config.parse(
                "cluster: {num_nodes: 1, component_placement: {a: all}, node_groups: [{label: a, node_ranks: 0,"
                        + " ignore_hardware: 'no'}]}"));

        assertThat(cluster.nodeGroups().get(0).ignoreHardware()).isFalse();
    }
}
