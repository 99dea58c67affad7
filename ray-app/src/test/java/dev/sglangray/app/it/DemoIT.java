/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The first command of the README on a machine without Ray and network: real engines, real router. */
@Tag("sglang")
class DemoIT {

    @Test
    void answersThroughTheRouterAndLeavesNothing() throws IOException {
        ClusterSpec bare = new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(NodeSpec.gpus(0)), Services.NONE);
        try (TestCluster machine = TestCluster.start(bare)) {
            String python = PythonEnvironment.withSglang().python().toString();
            Cli cli = new Cli(machine, machine.head(), Map.of("SGLANG_RAY_PYTHON", python));
            try (InsideProcess demo = cli.start("demo")) {
                ExitResult result = demo.await(Duration.ofMinutes(8)).orFail();
                assertThat(result.stdout())
                        .containsPattern("url +http://")
                        .containsPattern("engine 0 +ready +http://")
                        .containsPattern("engine 1 +ready +http://")
                        .containsPattern("answer +\\S.*tiny model|answer +\\S+ \\S+");
            }
            assertThat(machine.leftovers()).isEmpty();
            try (Stream<Path> files = Files.list(machine.head().file("/tmp"))) {
                assertThat(files.map(file -> file.getFileName().toString()))
                        .as("no folder of a Ray head")
                        .noneMatch(name -> name.startsWith("sgr-") || name.equals("ray"));
            }
        }
    }
}
