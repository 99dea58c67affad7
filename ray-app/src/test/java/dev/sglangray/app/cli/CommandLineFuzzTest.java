/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cli.context.ExitCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever stands on the command line and in the variables, a user's mistake is words and exit code 2, never a stack trace. No Python is
 * at hand here, so what needs a cluster ends with exit code 3 at the latest. Lasts a moment; {@code -Dfuzz.seconds=600} makes it last,
 * {@code -Dfuzz.seed=N} repeats a run.
 */
class CommandLineFuzzTest {
    private static final System.Logger LOG = System.getLogger(CommandLineFuzzTest.class.getName());

    private static final String NOBODY = "http://127.0.0.1:1";

    private static final List<List<String>> COMMANDS = List.of(
            List.of("validate", "-c", "FILE"),
            List.of("validate", "--config-path", "FOLDER", "--config-name", "serve"),
            List.of("validate"),
            List.of("plan", "--cluster", "CLUSTER", "-c", "FILE"),
            List.of("plan", "-c", "FILE"),
            List.of("config", "show", "-c", "FILE"),
            List.of("config", "schema"),
            List.of("config"),
            List.of("generate", "--url", NOBODY, "hello"),
            List.of("generate", "hello"),
            List.of("up", "--local", "-c", "FILE"),
            List.of("up", "-c", "FILE"),
            List.of("cluster"),
            List.of("status"),
            List.of("events"),
            List.of("events", "-f"),
            List.of("logs"),
            List.of("logs", "0/1", "-f"),
            List.of("status", "--watch"),
            List.of("top"),
            List.of("completion", "bash"),
            List.of("restart", "--rolling"),
            List.of("scale", "--engines", "2"),
            List.of("scale", "--by", "-1"),
            List.of("replace-router", "policy=random"),
            List.of("down"),
            List.of("demo"),
            List.of("run", "com.example.Main"),
            List.of("help"),
            List.of());

    private static final List<String> OPTIONS = List.of(
            "-c",
            "--config",
            "--config-path",
            "--config-dir",
            "--config-name",
            "--component",
            "--args-key",
            "--explicit-placement",
            "--router-node-rank",
            "--python",
            "--address",
            "--local",
            "--accelerators",
            "--namespace",
            "--reserve-timeout",
            "--health-timeout",
            "--drain-timeout",
            "--timeout",
            "--group",
            "--router-group",
            "--url",
            "--max-new-tokens",
            "--temperature",
            "--engines",
            "--by",
            "--explain",
            "--cluster",
            "--key",
            "--model",
            "--prompt",
            "--json",
            "--lines",
            "--watch",
            "--interval",
            "--follow",
            "--timings",
            "--detach",
            "--force",
            "-h",
            "--version",
            "--no-such-option");

    private static final List<String> VALUES = List.of(
            "",
            " ",
            "-",
            "--",
            "-1",
            "0",
            "1",
            "3",
            "1.5",
            "NaN",
            "-Infinity",
            "1e400",
            "2147483647",
            "2147483648",
            "-2147483648",
            "9223372036854775807",
            "99999999999999999999",
            "0x10",
            "\u0661\u0662",
            "two words",
            "line\nend",
            "\u001b[31mred\u001b[0m",
            "\u009b31m",
            "\u0000",
            "x".repeat(300),
            "\u6a21\u578b",
            ".",
            "/",
            "/no/such/file",
            "/dev/null",
            "/dev/zero",
            "FILE",
            "FOLDER",
            "FILE/below",
            "auto",
            "ray://10.0.0.1:10001",
            "127.0.0.1",
            "127.0.0.1:0",
            "127.0.0.1:1",
            "127.0.0.1:99999",
            "[::1]:1",
            "[::1",
            "http://",
            NOBODY,
            "http://127.0.0.1:99999",
            "http://127.0.0.1:1?token=s3cr3t-word",
            "http://user:s3cr3t-word@127.0.0.1:1",
            "user:s3cr3t-word@127.0.0.1:1",
            "ftp://127.0.0.1",
            "a.b=1",
            "+a.b=[1,2",
            "+router_server_args.server.api_key=s3cr3t-word",
            "router_server_args.server={api_key: s3cr3t-word, x: [}",
            "api_key.x=s3cr3t-word",
            "--api-key=s3cr3t-word",
            "router_server_args.tensor_parallel_size=${..server.nope}",
            "router_server_args.group_name=''",
            "~cluster",
            "cluster=",
            "${x}",
            "a[",
            "..",
            "a..b",
            "@FILE",
            "@FOLDER",
            "@/dev/zero",
            "router");

    private static final List<String> VARIABLES = List.of(
            "RAY_ADDRESS",
            "RAY_JOB_CONFIG_JSON_ENV_VAR",
            "SGLANG_RAY_API_KEY",
            "COLUMNS",
            "MODEL_DIR",
            "SGLANG_RAY_PYTHON");

    private static final List<String> JSON =
            List.of("{", "[]", "3", "null", "\"x\"", "{\"runtime_env\": 3}", "[".repeat(5_000));

    @TempDir
    private Path folder;

    private final InputStream input = System.in;

    @AfterEach
    void standardInputAsBefore() {
        System.setIn(input);
    }

    @BeforeEach
    void files() throws IOException {
        // With "-" as a file's name it is read, and it is not the tests' own.
        System.setIn(InputStream.nullInputStream());
        Files.writeString(folder.resolve("serve.yaml"), """
                cluster:
                  num_nodes: 1
                  component_placement: {rollout: all}
                router_server_args:
                  model_path: ${oc.env:MODEL_DIR,/m}
                  tensor_parallel_size: 1
                  pipeline_parallel_size: 1
                  server: {model_path: "${..model_path}"}
                  router: {policy: random}
                """);
        Files.writeString(folder.resolve("cluster.yaml"), "nodes: [{ip: 10.0.0.1, accelerators: 2}]\n");
    }

    @Test
    void aMistakeIsWordsAndNoStack() {
        long seconds = Long.getLong("fuzz.seconds", 5);
        long seed = Long.getLong("fuzz.seed", seconds > 5 ? System.nanoTime() : 1);
        Random random = new Random(seed);
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        int lines = 0;
        while (System.nanoTime() < end) {
            check(environment(random), line(random), "seed " + seed + ", line " + lines);
            lines++;
        }
        LOG.log(System.Logger.Level.INFO, "{0} command lines, seed {1}", lines, String.valueOf(seed));
        assertThat(lines).isPositive();
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void aWrongValueNamesItsOption(String words, String name) {
        List<String> line = resolved(List.of(words.replace("WORKER|", "").split("\\|", -1)));

        CommandRun run = CommandRun.of(Map.of("RAY_ADDRESS", "127.0.0.1:1"), line.toArray(String[]::new));

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains(name).doesNotContain("s3cr3t-word", "\tat ");
        assertThat(run.err().lines()).as(run.err()).hasSizeLessThan(4);
    }

    static List<Arguments> wrong() {
        List<Arguments> cases = new ArrayList<>();
        for (String url : List.of(
                "127.0.0.1:30000",
                "http://127.0.0.1:99999",
                "http://user:s3cr3t-word@127.0.0.1:1",
                "",
                " ",
                "ftp://x",
                "http://")) {
            cases.add(Arguments.of("generate|hi|--url|" + url, "--url"));
        }
        for (String seconds : List.of("0", "-1", "1.5", "x", "99999999999", "NaN", "")) {
            for (String line : List.of(
                    "generate|hi|--url|" + NOBODY + "|--timeout|",
                    "up|--local|-c|FILE|--health-timeout|",
                    "up|--local|-c|FILE|--reserve-timeout|",
                    "restart|--drain-timeout|",
                    "restart|--health-timeout|",
                    "scale|--by|1|--drain-timeout|",
                    "replace-router|policy=random|--timeout|")) {
                String[] parts = line.split("\\|", -1);
                cases.add(Arguments.of(line + seconds, parts[parts.length - 2]));
            }
        }
        for (String line : List.of(
                "plan|-c|FILE|--cluster|.",
                "plan|-c|FILE|--cluster|/no/such",
                "plan|-c|FILE|--cluster|",
                "plan|-c|FILE|--cluster|FILE/below",
                "plan|-c|FILE|--cluster|/dev/zero",
                "plan|-c|FILE|--cluster|CLUSTER|--explain|-1",
                "validate|-c|",
                "validate|--config-name|x|--config-path|FILE",
                "validate|--config-name|x|--config-path|/no/such",
                "validate|--config-path|FOLDER|--config-name|",
                "validate|-c|FILE|--config-dir|FILE",
                "validate|-c|FILE|--router-node-rank|-1",
                "validate|-c|FILE|--python|",
                "validate|-c|FILE|--args-key|",
                "validate|-c|FILE|--component|",
                "config|show|-c|FILE|--key|",
                "up|--local|-c|FILE|--router-node-rank|-1",
                "up|--local|-c|FILE|--accelerators|-1",
                "up|--local|-c|FILE|--accelerators|99999999",
                "up|--local|-c|FILE|--namespace|",
                "up|--local|-c|FILE|--namespace|line\nend",
                "status|--address|auto",
                "status|--address|127.0.0.1:0",
                "status|--address|ray://h:1",
                "status|--group|",
                "status|--group|a:b",
                "status|--router-group|" + "x".repeat(300),
                "status|--watch|0",
                "top|--interval|x",
                "logs|--lines|-1",
                "logs|WORKER|engine",
                "logs|WORKER|1/",
                "logs|WORKER|99999999999",
                "scale|--engines|0",
                "scale|--by|99999999999",
                "demo|--engines|0",
                "demo|--model|",
                "generate|hi|--url|" + NOBODY + "|--temperature|NaN",
                "generate|hi|--url|" + NOBODY + "|--temperature|-1",
                "generate|hi|--url|" + NOBODY + "|--max-new-tokens|-1")) {
            String[] parts = line.split("\\|", -1);
            String option = parts[parts.length - 2];
            cases.add(Arguments.of(line, option.equals("-c") ? "--config" : option));
        }
        return cases;
    }

    @Test
    void aWrongVariableIsNamed() {
        CommandRun key = CommandRun.of(Map.of("SGLANG_RAY_API_KEY", "s3cr3t word"), "generate", "--url", NOBODY, "hi");
        assertThat(key.code()).isEqualTo(ExitCode.USAGE);
        assertThat(key.err()).contains("SGLANG_RAY_API_KEY").doesNotContain("s3cr3t");

        CommandRun address = CommandRun.of(Map.of("RAY_ADDRESS", "auto"), "status");
        assertThat(address.code()).isEqualTo(ExitCode.USAGE);
        assertThat(address.err()).contains("RAY_ADDRESS", "auto");

        CommandRun job = CommandRun.of(Map.of("RAY_JOB_CONFIG_JSON_ENV_VAR", "{"), "status");
        assertThat(job.code()).isEqualTo(ExitCode.USAGE);
        assertThat(job.err()).contains("RAY_JOB_CONFIG_JSON_ENV_VAR");
    }

    private List<String> line(Random random) {
        List<String> line = new ArrayList<>(COMMANDS.get(random.nextInt(COMMANDS.size())));
        int more = random.nextInt(4);
        for (int i = 0; i < more; i++) {
            String option = OPTIONS.get(random.nextInt(OPTIONS.size()));
            String value = value(random);
            switch (random.nextInt(4)) {
                case 0 -> line.add(value);
                case 1 -> line.add(option + "=" + value);
                case 2 -> {
                    if (!line.isEmpty()) {
                        line.set(random.nextInt(line.size()), value);
                    }
                }
                default -> {
                    line.add(option);
                    line.add(value);
                }
            }
        }
        return line;
    }

    private static String value(Random random) {
        String value = VALUES.get(random.nextInt(VALUES.size()));
        // A secret's name must stay one.
        if (random.nextInt(4) == 0 && !value.isEmpty() && !value.contains("s3cr3t")) {
            int at = random.nextInt(value.length());
            return value.substring(0, at) + (char) (32 + random.nextInt(95)) + value.substring(at);
        }
        return value;
    }

    private static Map<String, String> environment(Random random) {
        Map<String, String> environment = new HashMap<>(Map.of("RAY_ADDRESS", "127.0.0.1:1"));
        int more = random.nextInt(3);
        for (int i = 0; i < more; i++) {
            List<String> values = random.nextInt(3) == 0 ? JSON : VALUES;
            environment.put(VARIABLES.get(random.nextInt(VARIABLES.size())), values.get(random.nextInt(values.size())));
        }
        return environment;
    }

    private List<String> resolved(List<String> line) {
        return line.stream()
                .map(word -> word.replace(
                                "CLUSTER", folder.resolve("cluster.yaml").toString())
                        .replace("FILE", folder.resolve("serve.yaml").toString())
                        .replace("FOLDER", folder.toString()))
                .toList();
    }

    private void check(Map<String, String> environment, List<String> words, String which) {
        List<String> line = resolved(words);
        CommandRun run = CommandRun.of(environment, line.toArray(String[]::new));
        String said = run.out() + run.err();
        String what = which + ": " + line + " with " + environment + " gave " + run.code() + ":\n" + said;
        assertThat(run.code()).as(what).isBetween(0, 3);
        assertThat(said).as(what).doesNotContain("unexpected failure", "\tat ", "s3cr3t-word");
        assertThat(said.chars()
                        .filter(c -> Character.isISOControl(c) && c != '\n' && c != '\t')
                        .count())
                .as(what)
                .isZero();
        if (run.code() == ExitCode.FAILED) {
            assertThat(line).as(what).contains("generate");
        }
    }
}
