/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.docs.DocBlock;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The documented training loop: real engine, real router, a trainer with torch. */
@Tag("sglang")
class RlLoopIT {
    private static final Pattern STEP = Pattern.compile("^ +\\d+ +(\\d\\.\\d{3}) .*");

    @Test
    void learnsThroughTheRouter() throws IOException {
        NodeSpec node = NodeSpec.onProcessor(1);
        try (TestCluster cluster = TestCluster.start(PythonEnvironment.NEWEST_RAY, node)) {
            Path out = cluster.logs().resolve("rl-loop");
            String python = PythonEnvironment.withSglang().python().toString();
            String command = DocBlock.marked("command: rl-loop").strip().replaceFirst("^python ", python + " ")
                    + " --address " + cluster.address() + " --out " + out;
            List<String> words = List.of("bash", "-c", "cd " + PythonEnvironment.repository() + " && " + command);
            Map<String, String> environment = Map.of(
                    "SGLANG_RAY_PROGRAM", Cli.dist().resolve("sglang-ray").toString());
            ExitResult result;
            try (InsideProcess loop = cluster.spawn(cluster.head(), words, environment)) {
                result = loop.await(Duration.ofMinutes(9)).orFail();
            } catch (AssertionError e) {
                cluster.saveLogs();
                throw e;
            }
            List<Double> rewards = new ArrayList<>();
            result.stdout()
                    .lines()
                    .map(STEP::matcher)
                    .filter(match -> match.matches())
                    .forEach(match -> rewards.add(Double.parseDouble(match.group(1))));
            assertThat(rewards).hasSize(7);
            assertThat(rewards.get(6)).isGreaterThan(rewards.get(0) + 0.2);
            assertThat(result.stdout()).contains("learnt: the reward rose");
            BufferedImage drawn = ImageIO.read(out.resolve("reward.png").toFile());
            assertThat(drawn.getWidth()).isEqualTo(640);
            cluster.assertNothingLeft();
        }
    }
}
