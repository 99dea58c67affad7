/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.app.drivers.PinnedActorDriver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The harness itself: what the other tests rely on. */
@Tag("ray")
class TestClusterIT {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    @ParameterizedTest
    @ValueSource(strings = {PythonEnvironment.LOWEST_RAY, PythonEnvironment.NEWEST_RAY})
    void pinsAJavaActorToASecondNodeAndFindsWhatADriverLeaves(String version) {
        try (TestCluster cluster = TestCluster.start(version, NodeSpec.gpus(0), NodeSpec.gpus(4))) {
            assertThat(cluster.nodeTable()).hasSize(2);
            cluster.assertNothingLeft();

            ClusterNode second = cluster.nodes().get(1);
            ExitResult pinned = cluster.exec(cluster.head(), MINUTE, driver(cluster, second.ip()))
                    .orFail();
            assertThat(pinned.stdout()).contains("host=node-b", "gpus=[0, 1]");
            cluster.assertNothingLeft();

            try (InsideProcess staying =
                    cluster.spawn(cluster.head(), List.of(driver(cluster, second.ip(), "60000")), Map.of())) {
                staying.awaitOutput("staying", MINUTE);
                assertThat(cluster.leftovers())
                        .anyMatch(line -> line.matches("process .*PinnedActorDriver.*"))
                        .anyMatch(line -> line.matches("process .*DefaultWorker.*"))
                        .anyMatch(line -> line.startsWith("actor {"))
                        .anyMatch(line -> line.startsWith("placement group {"))
                        .hasSize(4);
                staying.signal("KILL");
                assertThat(staying.await(MINUTE).code()).isEqualTo(137);
            }
            cluster.assertNothingLeft();
        }
    }

    @Test
    void endsEveryProcessAndSeesAStoppedCluster() {
        List<ProcessRow> seen;
        try (TestCluster cluster = TestCluster.start(PythonEnvironment.NEWEST_RAY, NodeSpec.gpus(0))) {
            cluster.spawn(cluster.head(), List.of("sleep", "1000"), Map.of());
            cluster.exec(cluster.head(), MINUTE, cluster.python().ray().toString(), "stop", "--force");
            assertThatThrownBy(cluster::assertNothingLeft).hasMessageContaining("stopped the cluster");
            seen = cluster.processes();
            assertThat(seen).anyMatch(row -> row.command().equals("sleep 1000"));
        }
        assertThat(seen).allMatch(row -> !Files.exists(Path.of("/proc/" + row.pid())));
    }

    private static String[] driver(TestCluster cluster, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "java",
                "-Dray.address=" + cluster.address(),
                "-cp",
                testClasses() + ":" + cluster.python().rayJars() + "/*",
                PinnedActorDriver.class.getName()));
        command.addAll(Arrays.asList(arguments));
        return command.toArray(String[]::new);
    }

    private static Path testClasses() {
        return Path.of(PinnedActorDriver.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath());
    }
}
