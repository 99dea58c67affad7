/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.TestCluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A user's own Java program: a main class of the test class path, with the packaged jar and the cluster's Ray. */
final class Driver {

    private static final List<String> OPENED =
            List.of("lang", "util", "util.concurrent", "math", "net", "text", "io", "time");

    private final TestCluster cluster;
    private final Class<?> main;

    Driver(TestCluster cluster, Class<?> main) {
        this.cluster = cluster;
        this.main = main;
    }

    InsideProcess start(Path config, String... overrides) {
        String jar = Cli.dist().resolve("sglang-ray.jar").toString();
        String classes =
                main.getProtectionDomain().getCodeSource().getLocation().getPath();
        Stream<String> opens = OPENED.stream().map(name -> "--add-opens=java.base/java." + name + "=ALL-UNNAMED");
        List<String> command = new ArrayList<>(List.of("java", "-XX:TieredStopAtLevel=1"));
        command.addAll(opens.toList());
        command.addAll(List.of(
                "-Dsglangray.jar=" + jar,
                "-cp",
                classes + ":" + jar + ":" + cluster.python().rayJars() + "/*",
                main.getName(),
                config.toString()));
        command.addAll(Arrays.asList(overrides));
        return cluster.spawn(cluster.head(), command, Map.of("RAY_ADDRESS", cluster.address()));
    }

    ExitResult run(Path config, String... overrides) {
        try (InsideProcess process = start(config, overrides)) {
            return process.await(Cli.DEADLINE);
        }
    }
}
