/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.config.error.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares with what OmegaConf and Hydra made of many configurations. The recordings are not part of the project: the
 * system property {@code corpus.dir} names their folder, {@code corpus.configs} the folder of the files that some of
 * them compose.
 */
class CorpusTest {
    private static final System.Logger LOG = System.getLogger(CorpusTest.class.getName());

    private static final Map<String, String> ENVIRONMENT = Map.of(
            "ENV_STR", "hello",
            "ENV_INT", "7",
            "ENV_EMPTY", "",
            "ENV_LIST", "[1,2]",
            "ENV_NULL", "null",
            "ENV_DICT", "{a: 1}",
            "ENV_INTERP", "${a}",
            "USER", "tester",
            "HOME", "/root",
            "PATH", "/usr/bin:/bin");

    @TempDir
    Path temporary;

    @Test
    void interpolatesAsOmegaConf() throws IOException {
        compare(row -> row.kind().equals("omegaconf"), this::parse);
    }

    @Test
    void composesAsHydra() throws IOException {
        compare(row -> row.kind().equals("hydra") && row.input().has("files"), this::composeSmall);
    }

    @Test
    void composesTheExamplesOfRlinf() throws IOException {
        Path configs = Path.of(System.getProperty(
                "corpus.configs", folder().resolve("rlinf_configs").toString()));
        assumeTrue(Files.isDirectory(configs), "no folder of configurations at " + configs);
        compare(
                row -> row.kind().equals("hydra") && row.input().has("config_dir"),
                recorded -> composeExample(recorded, configs));
    }

    private interface Comparison {
        /** What differs; empty when nothing does. */
        String difference(CorpusCase recorded) throws IOException;
    }

    private static Path folder() {
        Path all = Path.of("../../shared/corpus");
        String chosen = System.getProperty("corpus.dir");
        return chosen != null ? Path.of(chosen) : Files.isDirectory(all) ? all : Path.of("../corpus");
    }

    /** Compares with the cases of one kind in all files of the folder. */
    private void compare(Predicate<CorpusCase> kind, Comparison comparison) throws IOException {
        assertThat(folder()).as("the folder of recordings").isDirectory();
        int total = 0;
        List<String> differences = new ArrayList<>();
        for (Path file : files()) {
            List<CorpusCase> cases = CorpusCase.read(file).stream().filter(kind).toList();
            if (!cases.isEmpty()) {
                total += cases.size();
                List<String> found = differences(cases, comparison);
                LOG.log(
                        System.Logger.Level.INFO,
                        "{0}: {1} of {2} agree",
                        file.getFileName(),
                        cases.size() - found.size(),
                        cases.size());
                differences.addAll(found);
            }
        }
        assumeTrue(total > 0 || System.getProperty("corpus.dir") == null, "no recordings of this kind at " + folder());
        assertThat(total).as("recordings of this kind at %s", folder()).isPositive();
        Map<String, String> exceptions = exceptions();
        differences.removeIf(difference -> exceptions.containsKey(difference.substring(0, difference.indexOf(':'))));
        assertThat(differences).as("differences in %s cases", total).isEmpty();
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder())) {
            return files.filter(file -> file.toString().endsWith(".jsonl"))
                    .sorted()
                    .toList();
        }
    }

    private static List<String> differences(List<CorpusCase> cases, Comparison comparison) throws IOException {
        List<String> differences = new ArrayList<>();
        for (CorpusCase recorded : cases) {
            String difference = comparison.difference(recorded);
            if (!difference.isEmpty()) {
                differences.add(recorded.id() + ": " + difference + "\n  input " + recorded.input() + "\n  output "
                        + recorded.output());
            }
        }
        return differences;
    }

    private static Map<String, String> exceptions() throws IOException {
        Map<String, String> exceptions = new HashMap<>();
        try (InputStream stream =
                Objects.requireNonNull(CorpusTest.class.getResourceAsStream("corpus-exceptions.txt"))) {
            for (String line : new String(stream.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1)) {
                if (!line.isBlank() && !line.startsWith("#")) {
                    int space = line.indexOf(' ');
                    assertThat(space).as("a reason in '%s'", line).isPositive();
                    exceptions.put(line.substring(0, space), line.substring(space + 1));
                }
            }
        }
        return exceptions;
    }

    private String parse(CorpusCase recorded) {
        Config config;
        try {
            config = Config.parse(recorded.input().path("yaml").asText(), ENVIRONMENT);
        } catch (ConfigException e) {
            boolean expected = recorded.output().path("stage").asText().equals("parse");
            return expected ? "" : "does not parse: " + e.getMessage();
        }
        if (recorded.output().path("stage").asText().equals("parse")) {
            return "parses, but should not";
        }
        try {
            config.toJava();
        } catch (ConfigException e) {
            return recorded.succeeds() ? "does not resolve: " + e.getMessage() : "";
        }
        return resolve(recorded, config, recorded.succeeds(), ENVIRONMENT, "");
    }

    private String composeSmall(CorpusCase recorded) throws IOException {
        Path folder = Files.createDirectory(temporary.resolve(recorded.id()));
        for (Map.Entry<String, JsonNode> file : recorded.input().path("files").properties()) {
            Path path = folder.resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue().asText());
        }
        return compose(recorded, folder, ENVIRONMENT, "");
    }

    private String composeExample(CorpusCase recorded, Path configs) {
        Map<String, String> environment = new HashMap<>(ENVIRONMENT);
        String root = configs.toAbsolutePath().toString();
        recorded.input()
                .path("env")
                .properties()
                .forEach(entry -> environment.put(
                        entry.getKey(), entry.getValue().asText().replace("<repo>", root)));
        return compose(
                recorded, configs.resolve(recorded.input().path("config_dir").asText()), environment, root);
    }

    private String compose(CorpusCase recorded, Path folder, Map<String, String> environment, String root) {
        Config config;
        try {
            config = ConfigLoader.builder()
                    .configDir(folder)
                    .configName(recorded.input().path("config_name").asText())
                    .overrides(recorded.texts("overrides"))
                    .environment(environment)
                    .load();
        } catch (ConfigException e) {
            return recorded.succeeds() ? "does not compose: " + e.getMessage() : "";
        }
        if (!recorded.succeeds()) {
            return "composes, but should not";
        }
        JsonNode composed = recorded.output().path("composed");
        if (!composed.isMissingNode()) {
            String seen = CorpusCase.written(config).toString().replace(root.isEmpty() ? "<repo>" : root, "<repo>");
            if (!seen.equals(composed.toString())) {
                return "composes to " + seen;
            }
        }
        boolean resolves = recorded.output().path("resolve_error").isMissingNode();
        return resolve(recorded, config, resolves, environment, root);
    }

    private static String resolve(
            CorpusCase recorded, Config config, boolean succeeds, Map<String, String> environment, String root) {
        String seen;
        try {
            if (!succeeds) {
                config.toJava();
            }
            seen = CorpusCase.resolved(config, environment).toString();
        } catch (ConfigException e) {
            return succeeds ? "does not resolve: " + e.getMessage() : "";
        }
        if (!succeeds) {
            return "resolves, but should not, to " + seen;
        }
        if (!root.isEmpty()) {
            seen = seen.replace(root, "<repo>");
        }
        String expected = recorded.output().path("resolved").toString();
        return seen.equals(expected) ? "" : "resolves to " + seen;
    }
}
