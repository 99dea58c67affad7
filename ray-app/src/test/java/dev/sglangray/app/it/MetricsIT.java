/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a fleet's owner serves over HTTP follows what happens to the fleet. */
@OnCluster
@Tag("ray")
class MetricsIT {
    private static final String ENGINE_RESTARTS =
            "sglang_ray_restarts_total{cause=\"exit\",fleet=\"SGLangServerGroup\",kind=\"engine\",pool=\"\"} ";
    private static final String ENGINE_RECOVERIES =
            "sglang_ray_recovery_seconds_count{fleet=\"SGLangServerGroup\",kind=\"engine\",pool=\"\"} ";

    @Test
    void followsAKilledEngineAndAChangeOfSize(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        try (InsideProcess collector = cluster.spawn(
                        cluster.head(),
                        List.of(
                                cluster.python().python().toString(),
                                Cli.config("otlp_collector.py").toString(),
                                "4317",
                                "4318"),
                        Map.of());
                InsideProcess up = cli.up(
                        StandIn.model(cluster, "{}"),
                        "cluster.component_placement.rollout=0-1",
                        "router_server_args.tensor_parallel_size=1",
                        "+router_server_args.metrics.interval_s=0.2",
                        "--log-format",
                        "json",
                        "+router_server_args.tracing.otlp_traces_endpoint=127.0.0.1:4317",
                        "+router_server_args.server.enable_metrics=true",
                        "+router_server_args.router.prometheus_port=29111")) {
            JsonNode report = Cli.awaitReport(up);
            Endpoint metrics = new Endpoint(cluster, report.path("metrics_url").asText());
            metrics.await("/readyz", "200");
            metrics.await("/livez", "200");
            assertThat(metrics.get("/metrics"))
                    .contains("state=\"ready\"} 2", ENGINE_RESTARTS + "0.0", ENGINE_RECOVERIES + "0")
                    .contains("sglang_ray_launch_phase_seconds_count{fleet=\"SGLangServerGroup\",phase=\"start\"} 1");
            assertThat(metrics.roles()).containsExactly("owner", "router", "regular", "regular");
            assertThat(metrics.targets()).contains("10.9.0.1:29111", engine(report, 1));

            cluster.kill(FaultScene.engines(cluster, cluster.head()).get(0));
            metrics.await("/readyz", "503");
            assertThat(metrics.get("/livez")).startsWith("200");
            metrics.await("/readyz", "200");
            metrics.await("/metrics", ENGINE_RESTARTS + "1.0");
            metrics.await("/metrics", ENGINE_RECOVERIES + "1");

            cli.run("scale", "--by", "1").orFail();
            metrics.await("/metrics", "sglang_ray_engines_wanted{fleet=\"SGLangServerGroup\",pool=\"\"} 3");
            metrics.await("/metrics", "direction=\"up\",fleet=\"SGLangServerGroup\",pool=\"\",result=\"done\"} 1.0");
            assertThat(metrics.roles()).containsExactly("owner", "router", "regular", "regular", "regular");
            Endpoint traces = new Endpoint(cluster, "http://127.0.0.1:4318");
            for (String span : List.of("launch", "start worker", "restart engine", "scale")) {
                traces.await("/spans", "\"fleet\": \"SGLangServerGroup\", \"name\": \"" + span + "\"");
            }
            collector.signal("KILL");
            cli.run("scale", "--engines", "1").orFail();
            metrics.await("/metrics", "sglang_ray_engines_wanted{fleet=\"SGLangServerGroup\",pool=\"\"} 1");
            metrics.await("/readyz", "200");
            assertThat(metrics.roles()).containsExactly("owner", "router", "regular");

            await().atMost(Cli.DEADLINE)
                    .untilAsserted(() -> assertThat(up.stderr())
                            .contains(
                                    "\"level\":\"WARN\",\"message\":\"traces do not arrive at http://127.0.0.1:4317"));
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    /** The owner is an actor on the head, and serves at the node's address where that is asked for. */
    @Test
    void aDetachedFleetServesThemToo(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        cli.run(Cli.upWords(Cli.config("fleet.yaml"), StandIn.model(cluster, "{}"), new String[] {
                    "--detach",
                    "cluster.component_placement.rollout=0",
                    "router_server_args.tensor_parallel_size=1",
                    "+router_server_args.metrics={port: 29222, host: 0.0.0.0, interval_s: 0.2}"
                }))
                .orFail();
        try (Cli.Ending end = cli.downAtEnd()) {
            Endpoint metrics = new Endpoint(cluster, "http://10.9.0.1:29222");
            metrics.await("/readyz", "200");
            assertThat(metrics.targets()).containsExactly("10.9.0.1:29222");
            assertThat(cli.run("status").orFail().stdout()).contains("metrics    http://10.9.0.1:29222/metrics");
        }
        cluster.assertNothingLeft();
    }

    /** A port that is taken ends the launch, and nothing is left of it. */
    @Test
    void aTakenPortEndsTheLaunch(TestCluster cluster) {
        String port = URI.create("http://" + cluster.address()).getPort() + "";
        ExitResult refused = new Cli(cluster)
                .run(Cli.upWords(Cli.config("fleet.yaml"), StandIn.model(cluster, "{}"), new String[] {
                    "+router_server_args.metrics={port: " + port + ", host: 0.0.0.0}"
                }));
        assertThat(refused.code()).as(refused.toString()).isEqualTo(1);
        assertThat(refused.stderr()).contains("metrics cannot be served at 0.0.0.0, port " + port, "in use");
        cluster.assertNothingLeft();
    }

    private static String engine(JsonNode report, int rank) {
        for (JsonNode worker : report.path("workers")) {
            if (worker.path("kind").asText().equals("server")
                    && worker.path("rank").asInt() == rank) {
                return URI.create(worker.path("url").asText()).getAuthority();
            }
        }
        throw new AssertionError("no engine " + rank + " in " + report);
    }

    /** Asked inside the cluster. */
    record Endpoint(TestCluster cluster, String url) {
        /** The status and the body. */
        String get(String path) {
            JsonNode answer = cluster.get(url + path);
            return answer.path("status").asText() + " " + answer.path("text").asText();
        }

        void await(String path, String text) {
            Awaitility.await(path + " has " + text)
                    .atMost(Cli.DEADLINE)
                    .pollInterval(java.time.Duration.ofMillis(100))
                    .untilAsserted(() -> assertThat(get(path)).contains(text));
        }

        private JsonNode sd() {
            return Cli.parse(cluster.get(url + "/sd").path("text").asText());
        }

        List<String> roles() {
            return sd().findValuesAsText("role");
        }

        List<String> targets() {
            List<String> all = new ArrayList<>();
            sd().forEach(target -> all.add(target.path("targets").path(0).asText()));
            return all;
        }
    }
}
