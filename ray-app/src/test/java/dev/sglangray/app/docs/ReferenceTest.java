/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.autoscaling.AutoscalingReader;
import dev.sglangray.app.autoscaling.AutoscalingSettings;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.metrics.MetricsSettings;
import dev.sglangray.config.Config;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupSettingsReader;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import dev.sglangray.workers.supervision.SupervisionPolicyReader;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The reference pages have what the sources have: commands, options, exit codes, events, fields of a status, threads. */
class ReferenceTest {
    private static final Path ROOT = PythonEnvironment.repository();
    private static final Path CLI = ROOT.resolve("ray-app/src/main/java/dev/sglangray/app/cli");
    private static final Path WORKERS = ROOT.resolve("workers/src/main/java/dev/sglangray/workers");
    private static final Pattern MAKES_THREADS = Pattern.compile(
            "Threads\\.\\w+\\(|new (Thread|DefaultThreadFactory|ThreadPoolExecutor|MultiThreadIoEventLoopGroup)\\(");

    @Test
    void commandsAndOptions() throws IOException {
        String page = page("cli.md");
        Set<String> words = new TreeSet<>();
        for (Path file : sources(CLI)) {
            String text = Files.readString(file);
            words.addAll(found("^ +name = \"([a-z-]+)\"", text));
            words.addAll(found("\"(--[a-z-]+)\"", text));
        }
        words.remove("sglang-ray");
        assertThat(words).hasSizeGreaterThan(30);
        assertThat(words)
                .as("commands and options that docs/…/cli.md does not have")
                .allMatch(word ->
                        Pattern.compile("[` ]" + word + "[` ]").matcher(page).find());
    }

    @Test
    void exitCodes() throws IOException {
        String page = page("cli.md");
        List<String> codes =
                found("int (?!SIGNAL_BASE)[A-Z_]+ = (\\d+);", Files.readString(CLI.resolve("context/ExitCode.java")));
        assertThat(codes).hasSizeGreaterThan(3).allMatch(code -> page.contains("| " + code + " |"));
    }

    @Test
    void kindsOfEvents() throws IOException {
        String source = Files.readString(WORKERS.resolve("supervision/EventKind.java"));
        List<String> kinds = found("^    ([A-Z_]+)[,;]?$", source);
        assertThat(found("^\\| `([A-Z_]+)` \\| `[a-z-]+` \\|", page("status.md")))
                .hasSizeGreaterThan(15)
                .isEqualTo(kinds);
    }

    @Test
    void fieldsOfAStatus() throws IOException {
        String page = page("status.md");
        List<String> fields = Stream.of(WorkerStatus.class.getRecordComponents())
                .flatMap(part ->
                        part.getType().isRecord() ? Stream.of(part.getType().getRecordComponents()) : Stream.of(part))
                .map(RecordComponent::getName)
                .toList();
        assertThat(fields).hasSizeGreaterThan(15).allMatch(field -> page.contains("`" + field + "`"));
    }

    /** The schema has no defaults, so those of the table are written by hand. */
    @Test
    void defaultsOfTheTableOfKeys() throws IOException {
        Config policy = block("supervision");
        assertThat(policy.keys()).hasSize(12);
        assertThat(SupervisionPolicyReader.read(Config.of(Map.of("supervision", policy.toJava()))))
                .isEqualTo(SupervisionPolicy.DEFAULT);
        assertThat(GroupSettingsReader.read(Config.of(
                        Map.of("placement_group", block("placement_group").toJava()))))
                .isEqualTo(GroupSettings.DEFAULT);
        assertThat(MetricsSettings.read(
                        Config.of(Map.of("metrics", block("metrics").toJava()))))
                .hasValue(MetricsSettings.DEFAULT);
        assertThat(block("autoscaling").keys()).hasSize(8);
        assertThat(autoscaling(block("autoscaling"))).isEqualTo(autoscaling(Config.parse("{}")));
        assertThat(page("yaml.md"))
                .contains(
                        "| `" + LauncherArgs.DEFAULT_GROUP_NAME + "` |",
                        "| `" + LauncherArgs.DEFAULT_ROUTER_GROUP_NAME + "` |");
    }

    private static AutoscalingSettings autoscaling(Config given) {
        Map<Object, Object> settings = new HashMap<>();
        given.entries().forEach((key, value) -> settings.put(key, Objects.requireNonNull(value.toJava())));
        settings.put("max_engines", 2);
        settings.put("target_ongoing_requests", 8);
        Config block = Config.of(Map.of("autoscaling", settings));
        LauncherArgs arguments = LauncherArgs.from(Config.parse("{launch_server: false, router: {}}"));
        EnginePool pool = new EnginePool("", null, null, arguments, Map.of(), true, block, null);
        return Objects.requireNonNull(AutoscalingReader.read(Config.parse("{}"), arguments, List.of(pool), true)
                .get(""));
    }

    /** The keys below one of the table, with the defaults that are values. */
    private static Config block(String parent) throws IOException {
        String yaml = Pattern.compile("^\\| `" + parent + "\\.(\\w+)` \\| [^|]*\\| `([^`]+)` \\|", Pattern.MULTILINE)
                .matcher(page("yaml.md"))
                .results()
                .map(row -> row.group(1) + ": " + row.group(2) + "\n")
                .collect(Collectors.joining());
        return Config.parse(yaml);
    }

    @Test
    void threads() throws IOException {
        String page = page("concurrency.md");
        List<String> makers = new ArrayList<>();
        for (String module : List.of("config", "placement", "python-bridge", "client", "workers", "ray-app")) {
            for (Path file : sources(ROOT.resolve(module + "/src/main/java"))) {
                if (MAKES_THREADS.matcher(Files.readString(file)).find()) {
                    makers.add(file.getFileName().toString().replace(".java", ""));
                }
            }
        }
        assertThat(makers)
                .as("classes that make threads are in the inventory of docs/concurrency.md")
                .hasSizeGreaterThan(10)
                .allMatch(maker -> page.contains("`" + maker + "`"));
    }

    /** The page of this name, wherever below docs. */
    private static String page(String name) throws IOException {
        try (Stream<Path> pages = Files.walk(ROOT.resolve("docs"))) {
            return Files.readString(
                    pages.filter(file -> file.endsWith(name)).findFirst().orElseThrow());
        }
    }

    private static List<Path> sources(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        }
    }

    private static List<String> found(String pattern, String text) {
        return Pattern.compile(pattern, Pattern.MULTILINE)
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .toList();
    }
}
