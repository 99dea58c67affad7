/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.keeper;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.FleetState;
import dev.sglangray.placement.AcceleratorType;
import dev.sglangray.placement.BundlePlan;
import dev.sglangray.placement.NodeSnapshot;
import dev.sglangray.placement.Placement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnerFileTest {
    private static final FleetState STATE = new FleetState(
            List.of(NodeSnapshot.of("id0", "10.0.0.1", 2, AcceleratorType.NV_GPU, "H100", null)),
            1,
            "10.0.0.1",
            2,
            3,
            0,
            List.of(new BundlePlan(0, "10.0.0.1", Map.of("GPU", 1.0))),
            List.of(new FleetState.Seat(
                    new Placement(1, 0, 0, 1, AcceleratorType.NV_GPU, 0, 1, List.of("1"), true, List.of(1), "cluster"),
                    2,
                    "sglang-ray/X/scale-3",
                    true)));

    @Test
    void aSuccessorReadsWhatItsPredecessorWrote(@TempDir Path folder) throws IOException {
        OwnerFile file = file(folder, "abc");
        assertThat(file.load()).as("no fleet was launched yet").isEmpty();
        file.save(STATE);
        assertThat(file(folder, "abc").load()).contains(STATE);
        assertThat(file(folder, "other").load()).isEmpty();
        file.delete();
        assertThat(folder.toFile().list()).isEmpty();
    }

    private static OwnerFile file(Path folder, String actor) {
        return new OwnerFile(folder, actor, Map.of("actor", "sglang-ray-keeper/X", "namespace", "n", "session", "s"));
    }
}
