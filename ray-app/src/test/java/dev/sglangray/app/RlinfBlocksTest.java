/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.Config;
import dev.sglangray.config.ConfigLoader;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Severity;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.LauncherArgs;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The arguments that RLinf's examples and evaluations give to SGLang, on the SGLang that RLinf pins and on newer ones. The
 * list has the launcher's blocks as they are composed, and for each configuration of RLinf's own engine class the arguments
 * that this class hands to SGLang.
 */
class RlinfBlocksTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> RELEASES = List.of("0.5.12.post1", "0.5.17", "0.5.23");

    @TestFactory
    Stream<DynamicTest> isValidOnEachRelease() throws IOException {
        return blocks().flatMap(block -> RELEASES.stream()
                .map(release -> DynamicTest.dynamicTest(
                        block.path("sources").get(0).asText() + " on " + release, () -> check(block, release))));
    }

    private static void check(JsonNode entry, String release) {
        Config block = Config.parse(entry.path("block").toString());

        LauncherArgs arguments = LauncherArgs.from(block);
        List<ConfigProblem> problems = ArgumentSchemas.check(
                EnginePool.of(block, block, arguments),
                arguments,
                kind -> kind == SchemaKind.ROUTER
                        ? ArgumentSchemas.find(kind, null)
                        : ArgumentSchemas.released(kind, release));

        assertThat(problems)
                .filteredOn(problem -> problem.severity() == Severity.ERROR)
                .isEmpty();
        boolean renamed = !release.equals("0.5.12.post1") && block.has("server.cuda_graph_max_bs");
        assertThat(problems)
                .filteredOn(problem -> problem.message().contains("'cuda_graph_max_bs_decode'"))
                .hasSize(renamed ? 1 : 0);
    }

    /** Where RLinf's configurations are at hand: that the list says what they come to. */
    @TestFactory
    Stream<DynamicTest> isWhatTheConfigurationComesTo() throws IOException {
        String property = System.getProperty("corpus.dir");
        Path configurations = Path.of(property == null ? "../../shared/corpus" : property)
                .resolve("rlinf_configs")
                .toAbsolutePath()
                .normalize();
        assumeTrue(Files.isDirectory(configurations), () -> "no configurations at " + configurations);
        return blocks().filter(block -> !block.path("key").asText().equals("rollout"))
                .map(block -> DynamicTest.dynamicTest(
                        block.path("sources").get(0).asText(), () -> compare(block, configurations)));
    }

    private static void compare(JsonNode entry, Path configurations) {
        String file = entry.path("sources").get(0).asText();
        int slash = file.lastIndexOf('/');
        Config root = ConfigLoader.builder()
                .configDir(configurations.resolve(file.substring(0, slash)))
                .configName(file.substring(slash + 1).replace(".yaml", ""))
                .environment(Map.of(
                        "EMBODIED_PATH",
                                configurations.resolve("examples/embodiment").toString(),
                        "REPO_PATH", configurations.toString()))
                .load();

        JsonNode composed =
                JSON.valueToTree(root.require(entry.path("key").asText()).toJava());

        assertThat(composed).isEqualTo(entry.path("block"));
    }

    private static Stream<JsonNode> blocks() throws IOException {
        try (InputStream in = RlinfBlocksTest.class.getResourceAsStream("rlinf-blocks.json")) {
            return StreamSupport.stream(JSON.readTree(in).path("blocks").spliterator(), false);
        }
    }
}
