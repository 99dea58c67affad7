/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.plan.BundlePlan;
import dev.sglangray.placement.plan.RunningFleetPlan;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.HandoverFile;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FleetStateTest {
    private static final FleetState STATE = new FleetState(
            List.of(NodeSnapshot.of("id0", "10.0.0.1", 2, AcceleratorType.NV_GPU, "H100", null)),
            1,
            "10.0.0.1",
            wanted(),
            3,
            0,
            List.of(new BundlePlan(0, "10.0.0.1", Map.of("GPU", 1.0))),
            List.of(new FleetState.Seat(
                    new RunningFleetPlan.Engine(
                            "decode",
                            List.of(new RunningFleetPlan.Seat(
                                    new Placement(
                                            1,
                                            0,
                                            0,
                                            1,
                                            AcceleratorType.NV_GPU,
                                            0,
                                            1,
                                            List.of("1"),
                                            true,
                                            List.of(1),
                                            "cluster"),
                                    2))),
                    "sglang-ray/X/scale-3",
                    true)));

    private static Map<String, Integer> wanted() {
        Map<String, Integer> wanted = new LinkedHashMap<>();
        wanted.put("prefill", 1);
        wanted.put("decode", 2);
        return wanted;
    }

    @Test
    void poolsKeepTheirOrder(@TempDir Path folder) {
        try (ThreadLoop loop = new ThreadLoop("owner", InstantSource.system())) {
            store(folder, loop).save(STATE).join();
            FleetState read = store(folder, loop).load().orElseThrow();
            assertThat(read.wanted().keySet()).containsExactly("prefill", "decode");
            assertThat(read.engines()).isEqualTo(3);
            assertThat(read.seat(1))
                    .hasValueSatisfying(seat -> assertThat(seat.engine().pool()).isEqualTo("decode"));
        }
    }

    @Test
    void aSuccessorReadsWhatItsPredecessorWrote(@TempDir Path folder) {
        try (ThreadLoop loop = new ThreadLoop("owner", InstantSource.system())) {
            assertThat(store(folder, loop).load())
                    .as("no fleet was launched yet")
                    .isEmpty();
            RecordStore<FleetState> store = store(folder, loop);
            store.save(STATE).join();
            assertThat(store(folder, loop).load()).contains(STATE);
            store.delete();
            assertThat(folder.toFile().list()).isEmpty();
        }
    }

    private static RecordStore<FleetState> store(Path folder, ThreadLoop loop) {
        return new HandoverFile(folder.resolve("abc.json"), loop).section("fleet", FleetState.class);
    }
}
