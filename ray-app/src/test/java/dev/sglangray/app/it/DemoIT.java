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
                        .containsPattern("answer +\\S+ \\S+ \\S+");
            }
            assertThat(machine.leftovers()).isEmpty();
            assertThat(files(machine.head().file("/tmp/ray")))
                    .as("what Ray's Java runtime unpacks for each driver")
                    .isEmpty();
            assertThat(files(machine.head().file("/tmp")))
                    .as("the folder of the Ray head")
                    .noneMatch(file -> file.contains("/sgr-"));
        }
    }

    private static List<String> files(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.walk(folder, 3)) {
            return all.filter(Files::isRegularFile).map(Path::toString).toList();
        }
    }
}
