/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.TestCluster;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gate's part of the fault matrix: each process of a fleet is killed or stopped, and the fleet serves as before without
 * anybody's help. One fleet goes through it all, and then through restarts that somebody asks for. {@link FaultMatrixIT} has
 * the rest.
 */
@Tag("fault")
abstract class HealingContract {

    private static final Logger LOG = LoggerFactory.getLogger(HealingContract.class);

    /** The type of the router. */
    String router() {
        return "sglang-router";
    }

    @Test
    void aFleetOutlivesItsProcesses(TestCluster cluster) {
        try (FaultScene scene = FaultScene.start(
                cluster, FaultCells.BEHAVIOUR, FaultCells.SUPERVISION, "+router_server_args.router_type=" + router())) {
            new FaultMatrix(scene).run(FaultCells.gate());
            aRollingRestartLosesNoRequest(scene);
            aRestartAtOnceReplacesEnginesAndRouter(scene);
            aRouterIsReplacedBehindItsUrl(scene);

            JsonNode status = scene.status();
            assertThat(status.path("verdict").asText()).isEqualTo("HEALTHY");
            assertThat(status.path("api_url").asText()).isEqualTo(scene.url);
            JsonNode changes = status.path("workers").path(0).path("changes");
            assertThat(changes.toString()).isEqualTo("{\"policy\":\"round_robin\",\"request_timeout_secs\":900}");
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

    private static void aRouterIsReplacedBehindItsUrl(FaultScene scene) {
        long old = scene.router().pid();
        Map<String, Integer> before = scene.shape();
        double begin = SteadyLoad.now();
        scene.cli
                .run("replace-router", "policy=round_robin", "request_timeout_secs=900")
                .orFail();
        double end = SteadyLoad.now();
        scene.await("both engines behind the new router", () -> scene.serves(end));
        LOG.warn("a router replaced: failed {}", SteadyLoad.failures(scene.load.between(begin, end)));
        assertThat(scene.router().pid()).isNotEqualTo(old);

        // Ray's GCS has that port, which shows only when the old router is gone: it is put back.
        double wrong = SteadyLoad.now();
        ExitResult back = scene.cli.run("replace-router", "policy=random", "prometheus_port=6379");
        assertThat(back.code()).as(back.toString()).isEqualTo(1);
        assertThat(back.stderr()).contains("it has its old arguments again", "Port 6379 of this node is taken");
        double again = SteadyLoad.now();
        scene.await("both engines behind the old router", () -> scene.serves(again));
        LOG.warn("a router put back: failed {}", SteadyLoad.failures(scene.load.between(wrong, again)));
        assertThat(scene.shape()).isEqualTo(before);

        // What holds is kept when the worker's process is replaced.
        new FaultMatrix(scene).run(List.of(FaultCells.routerWorkerKilled()));
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
