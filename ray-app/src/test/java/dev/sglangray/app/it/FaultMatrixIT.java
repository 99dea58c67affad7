/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.TestCluster;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The whole fault matrix on fleets of stand-ins, and a soak. Takes long, so it is run by hand. */
@OnCluster
@Tag("fault")
@EnabledIfSystemProperty(named = FaultMatrixIT.SWITCH, matches = "true")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class FaultMatrixIT {

    /** The property that switches it on. */
    static final String SWITCH = "fault.matrix";

    /** A part of a cell's name, to run only those. */
    private static final String ONLY = "fault.cell";

    @Test
    void processes(TestCluster cluster) {
        run(cluster, Stream.concat(FaultCells.gate().stream(), FaultCells.rest().stream()));
    }

    @Test
    void nodes(TestCluster cluster) {
        run(cluster, FaultCells.nodes().stream());
    }

    private static void run(TestCluster cluster, Stream<FaultCell> all) {
        List<FaultCell> cells = all.filter(cell -> cell.name().contains(System.getProperty(ONLY, "")))
                .toList();
        try (FaultScene scene = FaultScene.start(cluster, FaultCells.BEHAVIOUR, FaultCells.SUPERVISION)) {
            new FaultMatrix(scene).run(cells);
            assertThat(scene.status().path("verdict").asText()).isEqualTo("HEALTHY");
        }
    }
}
