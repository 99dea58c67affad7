/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PlacementExceptionTest {
    @Test
    void namesStandOnOneLine() {
        PlacementException refusal = PlacementException.builder("there is no component \"x\"")
                .component("cluster")
                .rank(2)
                .available("Components", List.of("a", "b"))
                .fix("Did you mean \"a\"?")
                .build();
        assertThat(refusal)
                .hasMessage("cluster, rank 2: there is no component \"x\". Components: a, b. Did you mean \"a\"?");
        assertThat(refusal.component()).contains("cluster");
        assertThat(refusal.available()).containsExactly("a", "b");
    }

    @Test
    void tablesStandBelow() {
        PlacementException refusal = PlacementException.builder("too many")
                .available("Nodes", List.of("node 0  10.0.0.1", "node 1  10.0.0.2"))
                .fix("Ask for less.")
                .build();
        assertThat(refusal).hasMessage("""
                        too many.
                          Nodes:
                            node 0  10.0.0.1
                            node 1  10.0.0.2
                          Ask for less.""");
    }

    @Test
    void anOuterPartPutsItsNameInFront() {
        PlacementException inner = PlacementException.builder("bad")
                .rank(1)
                .available("Nodes", List.of("a"))
                .build();
        PlacementException outer = inner.inside("Engines");
        assertThat(outer).hasMessage("Engines: rank 1: bad. Nodes: a.").hasCause(inner);
        assertThat(outer.component()).contains("Engines");
        assertThat(outer.available()).containsExactly("a");
    }
}
