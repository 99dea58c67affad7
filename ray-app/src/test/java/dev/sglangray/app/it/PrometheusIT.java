/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Prometheus with the configuration, the rules and the queries of the dashboard that are given to users. */
@OnCluster
@Tag("ray")
class PrometheusIT {
    private static final Path CONF = PythonEnvironment.repository().resolve("ray-app/conf/prometheus");
    private static final String SERVER = "http://127.0.0.1:29090";

    @TempDir
    Path folder;

    @BeforeAll
    static void hasPrometheus() {
        boolean there = Files.isExecutable(Path.of("/usr/bin/prometheus"));
        if (System.getenv("SGLANG_RAY_REQUIRE_TOOLS") == null) {
            assumeTrue(there, "Prometheus is not installed (on Debian: apt-get install prometheus)");
        }
        assertThat(there).as("/usr/bin/prometheus").isTrue();
    }

    /** Each rule fires and clears on synthetic series. */
    @Test
    void rulesFireAndClear() throws Exception {
        Files.copy(CONF.resolve("alerts.yml"), folder.resolve("alerts.yml"));
        Files.copy(Cli.config("alerts.test.yml"), folder.resolve("alerts.test.yml"));
        Path output = folder.resolve("output");
        Process promtool = new ProcessBuilder("promtool", "test", "rules", "alerts.test.yml")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(promtool.waitFor()).as(Files.readString(output)).isZero();
        Matcher names = Pattern.compile("alert: (\\w+)").matcher(Files.readString(CONF.resolve("alerts.yml")));
        String tests = Files.readString(folder.resolve("alerts.test.yml"));
        assertThat(names.results().map(name -> name.group(1)).toList())
                .hasSizeGreaterThan(5)
                .allMatch(tests::contains);
    }

    /** Faults, changes of size and an update are in it one scrape later; alerts fire and clear; each query of the dashboard answers. */
    @Test
    void followsAFleet(TestCluster cluster) throws Exception {
        Cli cli = new Cli(cluster);
        Path model = StandIn.model(cluster, "{}");
        try (InsideProcess up = cli.up(
                model,
                "cluster.component_placement.rollout=0-1",
                "router_server_args.tensor_parallel_size=1",
                "+router_server_args.metrics={port: 9400, interval_s: 0.5}",
                // A hand gives it three engines below, which holds autoscaling.
                "+router_server_args.autoscaling={max_engines: 2, target_ongoing_requests: 32}",
                "+router_server_args.server.enable_metrics=true",
                "+router_server_args.router.prometheus_port=29111")) {
            JsonNode report = Cli.awaitReport(up);
            try (InsideProcess prometheus = prometheus(cluster, Files.createDirectory(model.resolve("prometheus")))) {
                awaitTargets(cluster, 4);
                awaitValue(cluster, "sum(sglang_ray_engine_up)", 2);

                Files.writeString(model.resolve("slow-once"), "6");
                cluster.kill(FaultScene.engines(cluster, cluster.head()).get(0));
                long killed = System.nanoTime();
                awaitValue(cluster, "sum(sglang_ray_engine_up)", 1);
                // The look of half a second, the scrape of a second, and the search for the killed process.
                assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(5));
                awaitAlerts(cluster, "SglangRayEngineOut", 1);
                awaitValue(cluster, "sum(sglang_ray_engine_up)", 2);
                awaitAlerts(cluster, "SglangRayEngineOut", 0);
                awaitValue(cluster, "sum(sglang_ray_restarts_total{kind=\"engine\",cause=\"exit\"})", 1);

                cli.run("scale", "--by", "1").orFail();
                awaitTargets(cluster, 5);
                cli.run("scale", "--engines", "1").orFail();
                awaitTargets(cluster, 3);
                cli.run("scale", "--engines", "3").orFail();
                awaitTargets(cluster, 5);
                update(cluster, model);
                awaitValue(cluster, "count(sglang_ray_weight_version_info{version=\"step-1\"})", 3);
                everyQueryOfTheDashboardAnswers(cluster);
            }
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).as(report.toString()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    /** With the files that users get, but for the times; in a folder that the cluster sees. */
    private static InsideProcess prometheus(TestCluster cluster, Path folder) throws IOException {
        String settings = Files.readString(CONF.resolve("prometheus.yml"))
                .replaceAll("(scrape_interval|refresh_interval): 15s", "$1: 1s")
                .replace("global:", "global:\n  evaluation_interval: 1s");
        assertThat(settings).contains("127.0.0.1:9400").doesNotContain("15s");
        Files.writeString(folder.resolve("prometheus.yml"), settings);
        Files.writeString(
                folder.resolve("alerts.yml"),
                Files.readString(CONF.resolve("alerts.yml")).replaceAll("for: \\d+m", "for: 1s"));
        return cluster.spawn(
                cluster.head(),
                List.of(
                        "/usr/bin/prometheus",
                        "--config.file=" + folder.resolve("prometheus.yml"),
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=" + SERVER.substring("http://".length())),
                Map.of());
    }

    private static JsonNode ask(TestCluster cluster, String path) {
        JsonNode answer = cluster.get(SERVER + path);
        return answer.path("status").asInt() == 0
                ? Cli.parse("{}")
                : Cli.parse(answer.path("text").asText());
    }

    private static JsonNode query(TestCluster cluster, String expression) {
        JsonNode answer = ask(cluster, "/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
        assertThat(answer.path("status").asText("not there")).as(expression).isIn("success", "not there");
        return answer.path("data").path("result");
    }

    private static void awaitValue(TestCluster cluster, String expression, double value) {
        await(expression + " is " + value)
                .atMost(Cli.DEADLINE)
                .pollInterval(Duration.ofMillis(100))
                .until(() ->
                        query(cluster, expression).path(0).path("value").path(1).asDouble(Double.NaN) == value);
    }

    private static void awaitAlerts(TestCluster cluster, String alert, int count) {
        await(count + " of " + alert)
                .atMost(Cli.DEADLINE)
                .pollInterval(Duration.ofMillis(200))
                .until(() -> query(cluster, "ALERTS{alertname=\"" + alert + "\",alertstate=\"firing\"}")
                                .size()
                        == count);
    }

    /** The owner, the router and the engines, all of which answer a scrape. */
    private static void awaitTargets(TestCluster cluster, int count) {
        await(count + " targets").atMost(Cli.DEADLINE).untilAsserted(() -> {
            List<String> health = new ArrayList<>();
            ask(cluster, "/api/v1/targets?state=active")
                    .path("data")
                    .path("activeTargets")
                    .forEach(target -> health.add(target.path("health").asText() + " "
                            + target.path("labels").path("role").asText() + " "
                            + target.path("lastError").asText()));
            assertThat(health).hasSize(count).allMatch(text -> text.startsWith("up "));
        });
    }

    private static void update(TestCluster cluster, Path model) {
        List<String> command = List.of(
                cluster.python().python().toString(),
                Cli.config("models.py").toString(),
                cluster.address(),
                model.toString());
        Path sources = PythonEnvironment.repository().resolve("python-bridge/src/main/python");
        try (InsideProcess python = cluster.spawn(cluster.head(), command, Map.of("PYTHONPATH", sources.toString()))) {
            ExitResult result = python.await(Cli.DEADLINE).orFail();
            assertThat(result.stdout()).contains("updated {0: 'UPDATED', 1: 'UPDATED', 2: 'UPDATED'}");
        }
    }

    private static void everyQueryOfTheDashboardAnswers(TestCluster cluster) throws IOException {
        JsonNode dashboard = Cli.parse(Files.readString(CONF.resolve("grafana.json")));
        List<String> queries = dashboard.findValuesAsText("expr");
        assertThat(queries).hasSizeGreaterThan(15);
        for (String written : queries) {
            String expression = written.replace("$fleet", "SGLangServerGroup");
            await(expression)
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> !query(cluster, expression).isEmpty());
        }
    }
}
