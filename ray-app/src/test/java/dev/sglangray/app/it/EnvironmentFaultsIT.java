/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is wrong around a launch: the cluster, the Pythons, the ports, the model. */
@OnCluster
@Tag("fault")
class EnvironmentFaultsIT {

    private static final int FAILED = 1;
    private static final int ENVIRONMENT = 3;

    @Test
    void noClusterAtTheAddress(TestCluster cluster) {
        ExitResult result = run(cluster, Map.of("RAY_ADDRESS", "10.9.0.1:6399"));
        assertThat(result.code()).as(result.toString()).isEqualTo(ENVIRONMENT);
        assertThat(result.stderr()).contains("10.9.0.1:6399");
        assertThat(result.duration()).isLessThan(Duration.ofSeconds(40));
    }

    @Test
    void anAddressThatRaysJavaRuntimeWouldAbortOn(TestCluster cluster) {
        ExitResult result = run(cluster, Map.of("RAY_ADDRESS", "auto"));
        assertThat(result.code()).as(result.toString()).isEqualTo(2);
        assertThat(result.stderr()).contains("auto", "host:port");
    }

    @Test
    void noAddressAtAllStartsNothing(TestCluster cluster) {
        ExitResult result = run(cluster, Map.of("RAY_ADDRESS", ""));
        assertThat(result.code()).as(result.toString()).isEqualTo(2);
        assertThat(result.stderr()).contains("--address", "RAY_ADDRESS", "--local");
    }

    @Test
    void aRayThatIsNotSupported(TestCluster cluster) throws IOException {
        // The real jar under a version that no one supports.
        Path fake = Files.createTempDirectory(cluster.logs(), "old-ray-");
        Files.createDirectories(fake.resolve("ray"));
        Files.writeString(fake.resolve("ray/__init__.py"), "__version__ = '2.9.3'\n");
        Files.createSymbolicLink(fake.resolve("ray/jars"), cluster.python().rayJars());
        Path info = Files.createDirectories(fake.resolve("ray-2.9.3.dist-info"));
        Files.writeString(info.resolve("METADATA"), "Metadata-Version: 2.1\nName: ray\nVersion: 2.9.3\n");
        ExitResult result = run(cluster, Map.of("PYTHONPATH", fake.toString()));
        assertThat(result.code()).as(result.toString()).isEqualTo(ENVIRONMENT);
        assertThat(result.stderr()).contains("2.9.3", "2.39.0", "2.60.0");
    }

    @Test
    void aPythonWithoutSglang(TestCluster cluster) throws IOException {
        // The system's own, which is to see no more than what the product puts on its path.
        Path python = cluster.logs().resolve("bare-python");
        Files.writeString(python, "#!/bin/sh\nPYTHONPATH=${PYTHONPATH%%:*} exec /usr/bin/python3 \"$@\"\n");
        Files.setPosixFilePermissions(python, PosixFilePermissions.fromString("rwxr-xr-x"));
        ExitResult result = up(
                new Cli(cluster),
                StandIn.model(cluster, "{}"),
                "cluster.component_placement.rollout={node_group: bare, placement: all}",
                "+cluster.node_groups=[{label: bare, node_ranks: all, env_configs: "
                        + "[{node_ranks: all, python_interpreter_path: " + python + "}]}]");
        assertThat(result.code()).as(result.toString()).isEqualTo(FAILED);
        assertThat(result.stderr()).contains("sglang is not installed in", "/usr/bin/python3");
    }

    @Test
    void aModelThatIsNotThere(TestCluster cluster) {
        ExitResult result = up(new Cli(cluster), Path.of("/no/such/model"));
        assertThat(result.code()).as(result.toString()).isEqualTo(FAILED);
        assertThat(result.stderr()).contains("/no/such/model");
    }

    @Test
    void aRouterPortThatSomebodyElseServes(TestCluster cluster) {
        List<String> stranger = List.of(
                cluster.python().python().toString(),
                StandIn.folder().resolve("stranger.py").toString(),
                "18080");
        try (InsideProcess other = cluster.spawn(cluster.head(), stranger, Map.of())) {
            Awaitility.await("the stranger's port")
                    .until(() -> cluster.head().listeningPorts().contains(18080));
            ExitResult result =
                    up(new Cli(cluster), StandIn.model(cluster, "{}"), "+router_server_args.router.port=18080");
            assertThat(result.code()).as(result.toString()).isEqualTo(FAILED);
            assertThat(result.stderr()).contains("18080", "stranger.py");
            assertThat(other.isAlive()).isTrue();
        }
    }

    private static ExitResult run(TestCluster cluster, Map<String, String> changes) {
        Map<String, String> environment = new HashMap<>(Map.of(
                "RAY_ADDRESS",
                cluster.address(),
                "SGLANG_RAY_PYTHON",
                cluster.python().python().toString()));
        environment.putAll(changes);
        return up(new Cli(cluster, cluster.head(), environment), StandIn.model(cluster, "{}"));
    }

    private static ExitResult up(Cli cli, Path model, String... more) {
        return cli.run(Cli.upWords(Cli.config("fleet.yaml"), model, more));
    }
}
