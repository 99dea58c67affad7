/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.docs.DocBlock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The commands of the documentation as they stand there, but for addresses and the model. Each test is named as the
 * comment above its command; DocumentationTest checks that none is forgotten.
 */
@OnCluster
@Tag("ray")
public class DocumentedCommandsIT {

    static final String MODEL = "/models/Qwen2.5-7B-Instruct";
    private static final Duration MINUTE = Duration.ofMinutes(1);

    /** Where commands run, on the head. */
    private static final String FOLDER = "/tmp/documented";

    @Test
    void cluster(TestCluster cluster) throws IOException {
        Path folder = folder(cluster);
        Files.writeString(folder.resolve("serve.yaml"), serveYaml(cluster));
        ExitResult result = run(cluster, DocBlock.marked("command: cluster")).orFail();
        assertThat(result.stdout()).containsPattern("url +http://").contains("The capital of France is");
        cluster.assertNothingLeft();
    }

    @Test
    void plan(TestCluster cluster) throws IOException {
        Files.writeString(folder(cluster).resolve("serve.yaml"), serveYaml(cluster));
        ExitResult result = run(cluster, DocBlock.marked("command: plan")).orFail();
        assertThat(result.stdout()).contains("a router on node 0", "SGLangServerGroup:0");
    }

    @Test
    void run(TestCluster cluster) throws IOException {
        Path folder = folder(cluster);
        Files.writeString(folder.resolve("serve.yaml"), serveYaml(cluster));
        compile(folder, "com.example", "Rollout", DocBlock.marked("code: Rollout"));
        String command = DocBlock.marked("command: run")
                .replace("RAY_ADDRESS=10.0.0.1:6379", "RAY_ADDRESS=" + cluster.address())
                .replace("rollout.jar", FOLDER);
        ExitResult result = run(cluster, command).orFail();
        assertThat(result.stdout()).containsPattern("http://\\S+ serves");
        cluster.assertNothingLeft();
    }

    @Test
    void validate(TestCluster cluster) throws IOException {
        Files.writeString(folder(cluster).resolve("serve.yaml"), serveYaml(cluster));
        ExitResult result = run(cluster, DocBlock.marked("command: validate")).orFail();
        assertThat(result.stdout()).contains("tp_size: 2", "\"$schema\"");
    }

    @Test
    void submit(TestCluster cluster) throws IOException {
        Path dist = folder(cluster).resolve("ray-app/target/dist");
        Files.createDirectories(dist.getParent());
        cluster.exec(cluster.head(), MINUTE, "cp", "-rL", Cli.dist().toString(), FOLDER + "/ray-app/target")
                .orFail();
        Files.writeString(dist.resolve("conf/serve.yaml"), serveYaml(cluster));
        String command = DocBlock.marked("command: submit").replace("http://HEAD:8265", cluster.dashboardUrl());
        try (InsideProcess submit = start(cluster, command)) {
            submit.awaitOutput(SubmittedJob.SERVES, Cli.DEADLINE);
            Matcher id = Pattern.compile("raysubmit_\\w+").matcher(submit.stdout());
            assertThat(id.find()).as(submit.stdout()).isTrue();
            run(cluster, "ray job stop --address " + cluster.dashboardUrl() + " " + id.group())
                    .orFail();
            submit.await(Cli.DEADLINE);
        }
        cluster.assertNothingLeft();
    }

    private static ExitResult run(TestCluster cluster, String command) {
        try (InsideProcess process = start(cluster, command)) {
            return process.await(Cli.DEADLINE);
        }
    }

    private static InsideProcess start(TestCluster cluster, String command) {
        // The words `ray` and `sglang-ray` are what a user has on PATH.
        String script = """
                ray() { "$SGLANG_RAY_PYTHON" "$RAY_SCRIPT" "$@"; }
                sglang-ray() { "$SGLANG_RAY_SCRIPT" "$@"; }
                cd "$FOLDER"
                """ + command;
        Map<String, String> environment = Map.of(
                "RAY_ADDRESS", cluster.address(),
                "SGLANG_RAY_PYTHON", cluster.python().python().toString(),
                "RAY_SCRIPT", cluster.python().ray().toString(),
                "SGLANG_RAY_SCRIPT", Cli.dist().resolve("sglang-ray").toString(),
                "FOLDER", FOLDER,
                "PYTHONUNBUFFERED", "1");
        return cluster.spawn(cluster.head(), List.of("bash", "-euo", "pipefail", "-c", script), environment);
    }

    private static String serveYaml(TestCluster cluster) {
        String yaml = DocBlock.marked("file: serve.yaml");
        assertThat(yaml).contains(MODEL);
        return yaml.replace(MODEL, StandIn.model(cluster, "{}").toString());
    }

    /** The folder as this process sees it. */
    private static Path folder(TestCluster cluster) throws IOException {
        return Files.createDirectories(cluster.head().file(FOLDER));
    }

    /** Compiles imports and the body of a main method. */
    private static void compile(Path folder, String packageName, String className, String text) throws IOException {
        Path source = writeSource(folder, packageName, className, text);
        int code = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        null,
                        null,
                        "-cp",
                        Cli.dist().resolve("sglang-ray.jar").toString(),
                        "-d",
                        folder.toString(),
                        source.toString());
        assertThat(code).as("javac of " + source).isZero();
    }

    /** Makes a class of imports and the body of a main method. */
    static Path writeSource(Path folder, String packageName, String className, String text) throws IOException {
        Map<Boolean, List<String>> lines =
                text.lines().collect(Collectors.partitioningBy(line -> line.startsWith("import ")));
        Path source = folder.resolve(className + ".java");
        return Files.writeString(source, """
                package %s;
                %s
                public class %s {
                  public static void main(String[] arguments) throws Exception {
                %s
                  }
                }
                """.formatted(
                packageName, String.join("\n", lines.get(true)), className, String.join("\n", lines.get(false))));
    }
}
