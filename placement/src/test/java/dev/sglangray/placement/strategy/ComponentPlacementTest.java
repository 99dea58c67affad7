/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.PlacementException;
import org.junit.jupiter.api.Test;

class ComponentPlacementTest {
    private static final String GROUPS = """
              node_groups:
                - {label: a, node_ranks: 0}
                - {label: b, node_ranks: 1}
            """;

    private static ComponentPlacement place(String placement) {
        String yaml = "cluster:\n  num_nodes: 2\n  component_placement:\n" + placement.indent(4) + GROUPS;
        return ComponentPlacement.of(Config.parse(yaml), Clusters.configured(yaml, 4, 4));
    }

    @Test
    void readsPartsWithAndWithoutProcessRanks() {
        ComponentPlacement placement = place("rollout: '0-1:0-3,3-5'");
        assertThat(placement.getHardwareRanks("rollout")).containsExactly(0, 1, 3, 4, 5);
        assertThat(placement.getWorldSize("rollout")).isEqualTo(7);
        assertThat(((FlexiblePlacementStrategy) placement.getStrategy("rollout")).hardwareRanks())
                .extracting(ranks -> ranks.get(0))
                .containsExactly(0, 0, 1, 1, 3, 4, 5);
    }

    @Test
    void oneKeyPlacesSeveralComponents() {
        ComponentPlacement placement = place("actor, rollout: all");
        assertThat(placement.components()).containsExactly("actor", "rollout");
        assertThat(placement.getWorldSize("actor")).isEqualTo(8);
    }

    @Test
    void aListOfGroupsMeansWhatTheTextMeans() {
        ComponentPlacement placement =
                place("x: {node_group: [b, a], placement: '0-5'}\ny: {node_group: 'b, a', placement: '0-5'}");
        assertThat(placement.getNodeGroups("x"))
                .isEqualTo(placement.getNodeGroups("y"))
                .containsExactly("b", "a");
        assertThat(placement.getHardwareRanks("x")).isEqualTo(placement.getHardwareRanks("y"));
    }

    @Test
    void nodesArePlacedWithoutHardware() {
        ComponentPlacement placement = place("agent: {node_group: node, placement: '0-1:0-5'}");
        assertThat(placement.getStrategy("agent")).isInstanceOf(NodePlacementStrategy.class);
        assertThat(((NodePlacementStrategy) placement.getStrategy("agent")).nodeRanks())
                .containsExactly(0, 0, 0, 1, 1, 1);
    }

    @Test
    void countsProcessesFromZeroAndSaysSo() {
        ComponentPlacement placement = place("rollout: '0-1:4-5'");
        assertThat(placement.getWorldSize("rollout")).isEqualTo(2);
        assertThat(placement.warnings()).singleElement().asString().contains("start at 4");
    }

    @Test
    void refusalsNameTheComponentAndTheLine() {
        assertThatThrownBy(() -> place("rollout: 0-8"))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("rollout (<text>:4:14)")
                .hasMessageContaining("Accelerator rank 8, which does not exist; there are 0-7");
        assertThatThrownBy(() -> place("rollout: {node_group: c, placement: all}"))
                .hasMessageContaining("\"c\"");
        assertThatThrownBy(() -> place("a: 0\n'b,a': 1")).hasMessageContaining("\"a\" is placed more than once");
        assertThatThrownBy(() -> place("rollout: '0-2:0-1'")).hasMessageContaining("evenly");
        assertThatThrownBy(() -> place("rollout: '0:0,1:2'")).hasMessageContaining("expected 1, not 2");
        assertThatThrownBy(() -> place("rollout: all").getWorldSize("rolout"))
                .hasMessageContaining("Did you mean \"rollout\"?");
    }
}
