/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The gate's part of the fault matrix: each process of a fleet is killed or stopped, and the fleet serves as before without
 * anybody's help. One fleet goes through it all, and then through restarts that somebody asks for. {@link FaultMatrixIT} has
 * the rest.
 */
@Tag("fault")
abstract class HealingContract {

    @Test
    void aFleetOutlivesItsProcesses(TestCluster cluster) {
        try (FaultScene scene = FaultScene.start(cluster, FaultCells.BEHAVIOUR, FaultCells.SUPERVISION)) {
            new FaultMatrix(scene).run(FaultCells.gate());
            aRollingRestartLosesNoRequest(scene);
            aRestartAtOnceReplacesEnginesAndRouter(scene);

            JsonNode status = scene.status();
            assertThat(status.path("verdict").asText()).isEqualTo("HEALTHY");
            assertThat(status.path("api_url").asText()).isEqualTo(scene.url);
            JsonNode second = status.path("workers").path(2);
            assertThat(second.path("url").asText()).isEqualTo(scene.engineUrl());
            assertThat(second.path("restarts").asInt()).isGreaterThanOrEqualTo(3);
            assertThat(scene.cli.run("events").orFail().stdout())
                    .contains("SGLangServerGroup:1", "SGLangRouterGroup:0", "worker-restarted")
                    .contains("published", "withdrawn", "recovered");

            scene.load.close();
            assertThat(scene.cli.run("down", "--force").orFail().stderr())
                    .contains("ended actor SGLangServerGroup:0", "ended actor SGLangRouterGroup:0");
            assertThat(scene.up.await(Cli.DEADLINE).code())
                    .as(scene.up.stderr())
                    .isEqualTo(4);
            scene.ended();
        }
    }

    private static void aRollingRestartLosesNoRequest(FaultScene scene) {
        long before = scene.engine().pid();
        List<SteadyLoad.Sent> requests = restart(scene, "--rolling");
        assertThat(SteadyLoad.failures(requests)).isEmpty();
        assertThat(scene.engine().pid()).isNotEqualTo(before);
    }

    private static void aRestartAtOnceReplacesEnginesAndRouter(FaultScene scene) {
        long engine = scene.engine().pid();
        long router = scene.router().pid();
        restart(scene, "--with-router");
        assertThat(scene.engine().pid()).isNotEqualTo(engine);
        assertThat(scene.router().pid()).isNotEqualTo(router);
    }

    /** The requests that were sent meanwhile. */
    private static List<SteadyLoad.Sent> restart(FaultScene scene, String how) {
        double begin = SteadyLoad.now();
        try (InsideProcess restart = scene.cli.start("restart", how)) {
            assertThat(restart.await(Cli.DEADLINE).code()).as(restart.stderr()).isZero();
        }
        double end = SteadyLoad.now();
        scene.await("both engines after the restart", () -> scene.serves(end));
        return scene.load.between(begin, end);
    }
}
