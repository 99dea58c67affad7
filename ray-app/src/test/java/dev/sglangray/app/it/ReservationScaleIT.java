/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.ReservationDriver;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the time of a reservation grows with the nodes of a real cluster. No part of the gate: it only measures. */
@Tag("scale")
class ReservationScaleIT {
    private static final int GPUS = 8;
    /** Ray gives the bundles of a removed group back with a delay: all rounds together must have room. */
    private static final String PART = "+router_server_args.placement_group.accelerator_share=0.15";

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8, 16})
    void measures(int nodes) {
        List<NodeSpec> specs = Collections.nCopies(nodes, NodeSpec.gpus(GPUS));
        try (TestCluster cluster =
                TestCluster.start(new ClusterSpec(PythonEnvironment.NEWEST_RAY, specs, Services.RAY))) {
            String rounds = new Driver(cluster, ReservationDriver.class)
                    .run(
                            Cli.config("fleet.yaml"),
                            "cluster.num_nodes=" + nodes,
                            "router_server_args.tensor_parallel_size=1",
                            PART,
                            "router_server_args.model_path=" + StandIn.model(cluster, "{}"))
                    .orFail()
                    .stdout();
            assertThat(rounds).contains("nodes=" + nodes + " bundles=" + (nodes * GPUS + 1));
            rounds.lines().filter(line -> line.startsWith("round ")).forEach(System.out::println);
        }
    }
}
