/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.TestCluster;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The whole fault matrix on fleets of stand-ins, on whichever Ray the subclass names. */
abstract class FaultMatrixContract {

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

    /** Nothing can be written any more where logs go; then the engine dies too. */
    @Test
    void fullDisk(TestCluster cluster) {
        String logs = "$(ls -d /tmp/ray/session_2*/logs)";
        String fill =
                "mount -n -t tmpfs -o size=64k tmpfs " + logs + "; head -c 1m /dev/zero > " + logs + "/fill; true";
        try (FaultScene scene = FaultScene.start(cluster, FaultCells.BEHAVIOUR, FaultCells.SUPERVISION);
                Cli.Ending unmount =
                        () -> cluster.exec(scene.engineNode(), Cli.DEADLINE, "sh", "-c", "umount -l " + logs)
                                .orFail()) {
            new FaultMatrix(scene).run(List.of(FaultCell.engine("engine", "kill -9, its log folder full", s -> {
                cluster.exec(s.engineNode(), Cli.DEADLINE, "sh", "-c", fill).orFail();
                s.signal(s.engine(), "KILL");
            })));
        }
    }

    /** SGLang's first process would wait for a minute after the death of one of its ranks. */
    @Test
    void ranks(TestCluster cluster) {
        try (FaultScene scene = FaultScene.start(cluster, FaultCells.RANKS, FaultCells.SUPERVISION)) {
            new FaultMatrix(scene).run(List.of(FaultCells.rank()));
            assertThat(scene.status().path("verdict").asText()).isEqualTo("HEALTHY");
        }
    }

    static List<FaultCell> chosen(Stream<FaultCell> cells) {
        return cells.filter(cell -> cell.name().contains(System.getProperty(ONLY, "")))
                .toList();
    }

    private static void run(TestCluster cluster, Stream<FaultCell> all) {
        try (FaultScene scene = FaultScene.start(cluster, FaultCells.BEHAVIOUR, FaultCells.SUPERVISION)) {
            new FaultMatrix(scene).run(chosen(all));
            assertThat(scene.status().path("verdict").asText()).isEqualTo("HEALTHY");
        }
    }
}
