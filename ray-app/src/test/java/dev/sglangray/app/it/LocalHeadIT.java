/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.ProcessRow;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A Ray head of the program's own, on a machine where a cluster runs already: the head ends with the program however that
 * ends, and the cluster is never touched (checked after each test, like the rest).
 */
@OnCluster
@Tag("fault")
class LocalHeadIT {
    /** Ray's native code waits a minute for a head that is gone, and then aborts the process. */
    private static final Duration AT_ONCE = Duration.ofSeconds(45);

    @ParameterizedTest
    @CsvSource({"INT, 130", "TERM, 143", "KILL, 137"})
    void endsWithItsFleet(String signal, int code, TestCluster cluster) {
        try (InsideProcess up = local(cluster)
                .up(
                        StandIn.model(cluster, "{}"),
                        "--local",
                        "--accelerators",
                        "2",
                        "cluster.num_nodes=1",
                        "router_server_args.tensor_parallel_size=1")) {
            JsonNode report = Cli.awaitReport(up);
            assertThat(FleetContract.askEach(cluster, report.path("api_url").asText(), 2))
                    .extracting(engine ->
                            engine.at("/environment/CUDA_VISIBLE_DEVICES").asText())
                    .containsExactly("0", "1");
            up.signal(signal);
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(code);
        }
        cluster.assertNothingLeft();
    }

    @Test
    void endsWhenTheLaunchFails(TestCluster cluster) {
        try (InsideProcess up = local(cluster)
                .up(
                        StandIn.model(cluster, "{\"last_words\": \"no such weights\"}"),
                        "--local",
                        "--accelerators",
                        "2",
                        "cluster.num_nodes=1")) {
            ExitResult result = up.await(Cli.DEADLINE);
            assertThat(result.code()).as(result.toString()).isEqualTo(1);
            assertThat(result.stderr()).contains("no such weights");
        }
        cluster.assertNothingLeft();
    }

    /** What {@code timeout}, systemd and a container's stop do: the head gets the signal as well, and ends first. */
    @ParameterizedTest
    @CsvSource({"TERM, 143", "INT, 130", "HUP, 129"})
    void endsWithASignalToAllOfTheGroup(String signal, int code, TestCluster cluster) {
        try (InsideProcess up = local(cluster)
                .up(StandIn.model(cluster, "{}"), "--local", "--accelerators", "2", "cluster.num_nodes=1")) {
            Cli.awaitReport(up);
            up.signalGroup(signal);
            ExitResult result = up.await(AT_ONCE);
            assertThat(result.code()).as(result.toString()).isEqualTo(code);
        }
        cluster.assertNothingLeft();
    }

    @Test
    void aHeadThatEndsByItselfEndsTheFleetWithWords(TestCluster cluster) {
        try (InsideProcess up = local(cluster)
                .up(StandIn.model(cluster, "{}"), "--local", "--accelerators", "2", "cluster.num_nodes=1")) {
            Cli.awaitReport(up);
            ProcessRow gcs = cluster.onNode(cluster.head()).stream()
                    .filter(row -> row.command().contains("/gcs_server ")
                            && row.command().contains("/sgr-"))
                    .findFirst()
                    .orElseThrow();
            cluster.signal(gcs, "KILL");
            ExitResult result = up.await(AT_ONCE);
            assertThat(result.code()).as(result.toString()).isEqualTo(4);
            assertThat(result.stderr()).contains("the local Ray head ended", "The fleet ended with it");
        }
        cluster.assertNothingLeft();
    }

    /** Ray 2.60's {@code ray.init()} leaves a token in the home folder, and every later head there demands it. */
    @Test
    void usesTheTokenThatRayLeft(TestCluster cluster) {
        Map<String, String> token = Map.of("RAY_AUTH_MODE", "", "RAY_AUTH_TOKEN", "0123456789abcdef0123456789abcdef");
        try (InsideProcess up = local(cluster, token)
                .up(StandIn.model(cluster, "{}"), "--local", "--accelerators", "2", "cluster.num_nodes=1")) {
            Cli.awaitReport(up);
            up.signal("TERM");
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(143);
        }
        cluster.assertNothingLeft();
    }

    private static Cli local(TestCluster cluster) {
        return local(cluster, Map.of());
    }

    private static Cli local(TestCluster cluster, Map<String, String> more) {
        Map<String, String> environment = new HashMap<>(StandIn.environment());
        environment.putAll(more);
        environment.put("SGLANG_RAY_PYTHON", cluster.python().python().toString());
        return new Cli(cluster, cluster.head(), environment);
    }
}
