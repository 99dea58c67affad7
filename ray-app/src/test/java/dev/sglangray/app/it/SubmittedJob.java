/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.GuideDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** {@code sglang-ray up} as a job of the cluster, submitted on the head from a folder that only the head can see. */
final class SubmittedJob {

    /** What the program says when its fleet serves. */
    static final String SERVES = "Ctrl-C ends the fleet";

    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final TestCluster cluster;
    private final String id;

    SubmittedJob(TestCluster cluster, String id) {
        this.cluster = cluster;
        this.id = id;
    }

    /** Submits with the guide's configuration, and follows the job's output. */
    InsideProcess submit(String... overrides) throws IOException {
        return submit(List.of("up", "-c", "fleet.yaml"), overrides);
    }

    /** Submits a Java program of the user's, whose classes only the job's folder has. */
    InsideProcess submit(Class<?> main, String... overrides) throws IOException {
        return submit(List.of("run", "--class-path", "classes", main.getName(), "fleet.yaml"), overrides);
    }

    private InsideProcess submit(List<String> program, String... overrides) throws IOException {
        String folder = "/tmp/job-" + id;
        cluster.exec(cluster.head(), MINUTE, "cp", "-r", Cli.dist().toString(), folder)
                .orFail();
        Files.copy(Cli.config("fleet.yaml"), cluster.head().file(folder + "/fleet.yaml"));
        if (program.contains("classes")) {
            cluster.exec(cluster.head(), MINUTE, "cp", "-r", classes().toString(), folder + "/classes")
                    .orFail();
        }
        List<String> command = ray("job", "submit", "--address", cluster.dashboardUrl(), "--submission-id", id);
        command.addAll(List.of("--working-dir", folder, "--", "bash", "sglang-ray"));
        command.addAll(program);
        command.addAll(Arrays.asList(overrides));
        // The client is Python, whose output into a file would else wait in its buffer.
        return cluster.spawn(cluster.head(), command, Map.of("PYTHONUNBUFFERED", "1"));
    }

    private static Path classes() {
        return Path.of(GuideDriver.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath());
    }

    ExitResult stop() {
        return run("stop");
    }

    ExitResult status() {
        return run("status");
    }

    private ExitResult run(String what) {
        List<String> command = ray("job", what, "--address", cluster.dashboardUrl(), id);
        return cluster.exec(cluster.head(), MINUTE, command.toArray(String[]::new));
    }

    private List<String> ray(String... words) {
        List<String> command = new ArrayList<>(List.of(
                cluster.python().python().toString(), cluster.python().ray().toString()));
        command.addAll(Arrays.asList(words));
        return command;
    }

    /** The URL that the job has printed. */
    static String url(InsideProcess submit) {
        return submit.stdout()
                .lines()
                .filter(line -> line.startsWith("url "))
                .map(line -> line.substring("url ".length()).strip())
                .findFirst()
                .orElseThrow(() -> new AssertionError("no url in: " + submit.stdout()));
    }
}
