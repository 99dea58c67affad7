/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.ProcessRow;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code kill -9} while a fleet starts, registers and shuts down, and commands that act at once. Run by hand; that nothing is left
 * is checked after each test.
 */
@OnCluster
@Tag("fault")
@EnabledIfSystemProperty(named = FaultMatrixContract.SWITCH, matches = "true")
class LaunchFaultsIT {

    @ParameterizedTest
    @ValueSource(strings = {"engine", "worker"})
    void killedDuringTheStart(String which, TestCluster cluster) {
        try (InsideProcess up = new Cli(cluster).upWithProgress(StandIn.model(cluster, "{\"load_seconds\": 60}"))) {
            up.awaitOutput("SGLangRouterGroup:0 serves at", Cli.DEADLINE);
            ProcessRow engine = engine(cluster);
            cluster.kill(which.equals("engine") ? engine : FaultScene.worker(cluster, engine));
            ExitResult result = up.await(Cli.DEADLINE);
            assertThat(result.code()).as(result.toString()).isEqualTo(1);
            assertThat(result.stderr()).contains("SGLangServerGroup");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"engine", "worker"})
    void killedDuringTheRegistration(String which, TestCluster cluster) {
        Path model = StandIn.model(cluster, "{\"slow_info_seconds\": 8}");
        try (InsideProcess up = new Cli(cluster).upWithProgress(model)) {
            up.awaitOutput("SGLangServerGroup:1 serves at", Cli.DEADLINE);
            ProcessRow engine = engine(cluster);
            cluster.kill(which.equals("engine") ? engine : FaultScene.worker(cluster, engine));
            Awaitility.await("an end or a fleet")
                    .atMost(Cli.DEADLINE)
                    .until(() -> !up.isAlive() || up.stderr().contains("Ctrl-C ends the fleet"));
            if (up.isAlive()) {
                // The engine was back before anybody missed it.
                up.signalGroup("INT");
                assertThat(up.await(Cli.DEADLINE).code()).isEqualTo(130);
            } else {
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(1);
                assertThat(up.stderr()).contains("SGLangServerGroup");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"engine", "worker", "driver"})
    void killedDuringTheShutdown(String which, TestCluster cluster) {
        Path model = StandIn.model(cluster, "{\"ignore_sigterm\": true}");
        try (InsideProcess up = new Cli(cluster).upWithProgress(model)) {
            up.awaitOutput("Ctrl-C ends the fleet", Cli.DEADLINE);
            ProcessRow engine = engine(cluster);
            ProcessRow worker = FaultScene.worker(cluster, engine);
            up.signalGroup("INT");
            up.awaitOutput("ending the fleet", Cli.DEADLINE);
            switch (which) {
                case "engine" -> cluster.kill(engine);
                case "worker" -> cluster.kill(worker);
                default -> up.signal("KILL");
            }
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isIn(130, 137);
        }
    }

    @Test
    void aPortStolenBetweenChoiceAndBind(TestCluster cluster) {
        try (InsideProcess up = new Cli(cluster).up(StandIn.model(cluster, "{\"lose_port\": true}"))) {
            String url = Cli.awaitReport(up).path("api_url").asText();
            assertThat(FleetContract.askEach(cluster, url, 2)).hasSize(2);
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).isEqualTo(130);
        }
    }

    @Test
    void twoDetachedFleetsOfOneNameAtOnce(TestCluster cluster) {
        Path model = StandIn.model(cluster, "{\"load_seconds\": 2}");
        Cli cli = new Cli(cluster);
        try (Cli.Ending down = cli.downAtEnd();
                InsideProcess one = cli.up(model, "--detach");
                InsideProcess other = cli.up(model, "--detach")) {
            ExitResult first = one.await(Cli.DEADLINE);
            ExitResult second = other.await(Cli.DEADLINE);
            assertThat(List.of(first.code(), second.code()))
                    .as(first + "\n" + second)
                    .containsExactlyInAnyOrder(0, 1);
            assertThat((first.code() == 0 ? second : first).stderr())
                    .contains("a detached fleet of this group name runs already");
            assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");
        }
    }

    @Test
    void twoDownsAtOnce(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        cli.run(Cli.upWords(Cli.config("fleet.yaml"), StandIn.model(cluster, "{}"), new String[] {"--detach"}))
                .orFail();
        try (InsideProcess one = cli.start("down");
                InsideProcess other = cli.start("down")) {
            ExitResult first = one.await(Cli.DEADLINE);
            ExitResult second = other.await(Cli.DEADLINE);
            assertThat(List.of(first.code(), second.code()))
                    .as(first + "\n" + second)
                    .contains(0);
            assertThat(List.of(first.code(), second.code())).isSubsetOf(0, 1);
        }
    }

    @Test
    void aRestartDuringADown(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        Path model = StandIn.model(cluster, "{\"ignore_sigterm\": true}");
        cli.run(Cli.upWords(Cli.config("fleet.yaml"), model, new String[] {"--detach"}))
                .orFail();
        try (InsideProcess restart = cli.start("restart");
                InsideProcess down = cli.start("down")) {
            ExitResult ended = down.await(Cli.DEADLINE);
            ExitResult restarted = restart.await(Cli.DEADLINE);
            assertThat(ended.code()).as(ended.toString()).isZero();
            assertThat(restarted.code()).as(restarted.toString()).isIn(0, 1);
        }
    }

    @Test
    void aCrashLoopIsGivenUpAndEndedByARestart(TestCluster cluster) {
        String policy = "+router_server_args.supervision={max_restarts:2,backoff_initial_s:0.5}";
        try (FaultScene scene = FaultScene.start(cluster, "{}", policy)) {
            double begin = SteadyLoad.now();
            scene.behaviour("{\"last_words\": \"no more memory, said the engine\"}");
            scene.signal(scene.engine(), "KILL");
            Awaitility.await("the verdict")
                    .atMost(Cli.DEADLINE)
                    .until(() -> scene.status().path("verdict").asText().equals("DEGRADED"));
            JsonNode lost = scene.status().path("workers").path(2);
            assertThat(lost.path("state").asText()).isEqualTo("FAILED");
            assertThat(lost.path("failure").asText())
                    .contains("given up after 2 restarts", "no more memory, said the engine");
            scene.load.refresh();
            assertThat(SteadyLoad.failures(scene.load.between(begin, SteadyLoad.now())))
                    .isEmpty();

            scene.behaviour("{}");
            scene.cli.run("restart", "--rolling").orFail();
            double end = SteadyLoad.now();
            scene.await("both engines again", () -> scene.serves(end));
            scene.load.refresh();
            assertThat(SteadyLoad.failures(scene.load.between(begin, SteadyLoad.now())))
                    .isEmpty();
        }
    }

    private static ProcessRow engine(TestCluster cluster) {
        return FaultScene.engine(cluster, cluster.nodes().get(1));
    }
}
