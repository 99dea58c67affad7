/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Clusters for tests: nodes 10.0.0.1, 10.0.0.2, ... of NVIDIA GPUs; node 0 is the driver's. */
public final class Clusters {
    private Clusters() {}

    /** A node of so many GPUs. */
    public static NodeSnapshot node(int index, int gpus, @Nullable Integer rank) {
        return NodeSnapshot.of(
                "id" + index,
                "10.0.0." + (index + 1),
                gpus,
                gpus == 0 ? AcceleratorType.NO_ACCEL : AcceleratorType.NV_GPU,
                gpus == 0 ? "" : "H100",
                rank);
    }

    /** Nodes started with ranks 0, 1, ... and so many GPUs each. */
    public static ClusterSnapshot ranked(int... gpus) {
        List<NodeSnapshot> nodes = new ArrayList<>();
        for (int i = 0; i < gpus.length; i++) {
            nodes.add(node(i, gpus[i], i));
        }
        return new ClusterSnapshot(nodes, "id0");
    }

    /** The whole of a snapshot, without node groups. */
    public static Cluster plain(int... gpus) {
        return Cluster.of(gpus.length, List.of(), ranked(gpus));
    }

    /** A snapshot with the {@code cluster} section of a configuration. */
    public static Cluster configured(String yaml, int... gpus) {
        return Cluster.of(ClusterConfig.from(Config.parse(yaml)), ranked(gpus));
    }
}
