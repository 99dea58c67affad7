/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodeDemandTest {
    private final FakeRayGroups ray = new FakeRayGroups(new ClusterSnapshot(List.of(), ""));
    private final List<String> lines = new ArrayList<>();

    private void await(int seconds, boolean cancelled) {
        NodeDemand.await(
                "fleet/scale-1/nodes",
                List.of(Map.of("GPU", 2.0), Map.of("GPU", 2.0)),
                Duration.ofSeconds(seconds),
                lines::add,
                ray,
                () -> cancelled);
    }

    @Test
    void waitsUntilThereIsRoomAndGivesItBack() {
        ray.readyAfterSlices = 15;
        await(60, false);
        assertThat(ray.removed).containsExactly("fleet/scale-1/nodes");
        assertThat(lines)
                .containsExactly(
                        "waiting for nodes with room for 2 bundle(s) of GPU 2, 1 s of 60 s",
                        "waiting for nodes with room for 2 bundle(s) of GPU 2, 11 s of 60 s");
    }

    @Test
    void asksForNothingAnyMoreAfterTheDeadline() {
        assertThatThrownBy(() -> await(20, false))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("no nodes came within 20 s");
        assertThat(ray.removed).containsExactly("fleet/scale-1/nodes");
    }

    @Test
    void endsWhenItIsInterruptedOrTheFleetEnds() {
        assertThatThrownBy(() -> await(60, true)).hasMessageContaining("interrupted while waiting for nodes");
        ray.interruptWhileWaiting = true;
        assertThatThrownBy(() -> await(60, false)).hasMessageContaining("interrupted while waiting for nodes");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(ray.removed).hasSize(2);
    }
}
