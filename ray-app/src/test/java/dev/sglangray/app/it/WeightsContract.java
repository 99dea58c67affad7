/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.WeightsDriver;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A trainer in Java on a fleet: weights, memory, and processes that are killed at the worst of times, on whichever Ray the
 * subclass names.
 */
@Tag("fault")
abstract class WeightsContract {

    @Test
    void isUpdatedLentAndKilledAndNeverMixesWeights(TestCluster cluster) {
        Path model = StandIn.model(cluster, "{}");
        try (InsideProcess up = new Cli(cluster)
                .up(
                        model,
                        "+router_server_args.server.enable_memory_saver=true",
                        "+router_server_args.supervision={probe_interval_s:1,probe_timeout_s:2}")) {
            Cli.awaitReport(up);
            ExitResult driver =
                    new Driver(cluster, WeightsDriver.class).run(Cli.config("fleet.yaml"), model.toString());
            assertThat(driver.code()).as(driver.stdout() + driver.stderr()).isZero();
            assertThat(driver.stdout().lines())
                    .containsSubsequence(
                            "first update complete true",
                            "answered by [1], known as 1",
                            "update in place complete true",
                            "rolling complete true, answered by [3]")
                    .containsSubsequence(
                            "a missing folder true",
                            "another model true",
                            "tensors true",
                            "a server with other weights true",
                            "answered by [3]")
                    .containsSubsequence(
                            "with a broken engine, missing [1] answered by [5]",
                            "the broken engine is DRAINED, and 0 is READY",
                            "the next update is complete true, answered by [6]")
                    .containsSubsequence(
                            "with an engine killed, missing [1] answered by [7]",
                            "it came back, answered by [7]",
                            "an engine killed later came back, answered by [7]",
                            "a worker killed later came back, answered by [7]",
                            "the router's worker killed later knows them, answered by [7]")
                    .containsSubsequence(
                            "by URL, listed true",
                            "it is gone, and the router another, listed false, answered by [7]",
                            "it is back, unregistered true",
                            "without it, answered by [7]")
                    .containsSubsequence(
                            "no weights without memory true",
                            "partly [memory released: kv_cache, cuda_graph]",
                            "resumed, answered by [7]",
                            "killed while it released, runs false, [memory released: kv_cache, weights, cuda_graph]",
                            "resumed all the same, answered by [7]",
                            "paused [generation paused (in_place)]",
                            "continued, answered by [7]")
                    .contains(
                            "40 of them, a worker more than 40 MB larger false, an engine more than 10 MB larger false",
                            "50 updates, more files false, more threads false, answered by [many-49]")
                    .anyMatch(line ->
                            line.startsWith("released DRAINED [memory released: kv_cache, weights, cuda_graph]"));
            runsTheExample(cluster, model);
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    /** As the example's own words say: compiled with the jar, started with {@code sglang-ray run}. */
    private static void runsTheExample(TestCluster cluster, Path model) {
        String source = PythonEnvironment.repository()
                .resolve("ray-app/examples/TrainingLoop.java")
                .toString();
        String classes = model.resolve("classes").toString();
        String jar = Cli.dist().resolve("sglang-ray.jar").toString();
        cluster.exec(cluster.head(), Cli.DEADLINE, "javac", "-cp", jar, "-d", classes, source)
                .orFail();
        ExitResult loop = new Cli(cluster)
                .run("run", "--class-path", classes, "TrainingLoop", model + "/checkpoint-1", model + "/checkpoint-2")
                .orFail();
        assertThat(loop.stdout().lines().map(line -> line.replaceAll(": .*| in .*", "")))
                .containsSubsequence("by weights many-49", "weights step-1", "by weights step-1", "weights step-2");
        assertThat(loop.stdout()).contains("by weights step-2: ").doesNotContain("without them: [1]");
    }
}
