/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.it.DocumentedCommandsIT;
import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every block of the documentation is run, compiled or loaded by a test, or says why it is not. */
class DocumentationTest {

    private static final Set<String> LANGUAGES =
            Set.of("bash", "yaml", "xml", "java", "json", "python", "text", "mermaid");
    private static final String COMMAND = "command: ";
    private static final String EXCUSE = "not run in CI: ";

    static Stream<DocBlock> blocks() {
        return DocBlock.all().stream();
    }

    static Stream<DocBlock> yaml() {
        return blocks().filter(block -> block.language().equals("yaml"));
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void namesItsLanguage(DocBlock block) {
        assertThat(block.language()).as(block.toString()).isIn(LANGUAGES);
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void commandsAreRunOrExcused(DocBlock block) {
        if (block.language().equals("bash")) {
            assertThat(block.marker())
                    .as("%s needs <!-- command: NAME --> above it, or <!-- not run in CI: WHY -->", block)
                    .matches(COMMAND + "[a-z-]+|" + EXCUSE + "\\S.{9,}");
        }
    }

    @Test
    void everyNamedCommandHasItsTest() {
        Set<String> named = new TreeSet<>();
        blocks().map(DocBlock::marker)
                .filter(marker -> marker.startsWith(COMMAND))
                .forEach(marker -> named.add(marker.substring(COMMAND.length())));
        // The gate itself runs `test`, DemoIT `demo`, and RlLoopIT `rl-loop`.
        Set<String> tested = new TreeSet<>(Set.of("test", "demo", "rl-loop"));
        tested.addAll(methods(DocumentedCommandsIT.class));
        assertThat(named).isEqualTo(tested);
    }

    @ParameterizedTest
    @MethodSource("yaml")
    void configurationsLoad(DocBlock block) {
        Config config = Config.parse(block.text());
        if (config.has("router_server_args")) {
            assertThatCode(() -> FleetSpec.of(config)).as(block.toString()).doesNotThrowAnyException();
        } else if (config.has("cluster.num_nodes")) {
            assertThatCode(() -> ClusterConfig.from(config))
                    .as(block.toString())
                    .doesNotThrowAnyException();
        }
    }

    /** It runs against a real router in ClientOnARealEngineIT. */
    @Test
    void theExampleOfOpenAisJavaClientIsTheTestedOne() throws IOException {
        String source = Files.readString(PythonEnvironment.repository()
                .resolve("ray-app/src/test/java/dev/sglangray/app/it/OpenAiExample.java"));
        String snippet = source.substring(
                source.indexOf('\n', source.indexOf("// snippet: openai-java")) + 1,
                source.indexOf("    // end of snippet"));
        assertThat(DocBlock.marked("code: openai-java"))
                .isEqualTo(snippet.stripTrailing().stripIndent());
    }

    private static List<String> methods(Class<?> testClass) {
        return Arrays.stream(testClass.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .map(method -> method.getName())
                .toList();
    }
}
