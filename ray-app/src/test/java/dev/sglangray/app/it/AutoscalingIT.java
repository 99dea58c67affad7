/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Engines that take a while to start follow a load of 1 to 200 requests at once, and give way to a hand. */
@OnCluster
@Tag("ray")
class AutoscalingIT {
    private static final String FLEET = "fleet=\"SGLangServerGroup\",pool=\"\"";
    private static final Duration DOWNSCALE_DELAY = Duration.ofSeconds(5);

    @Test
    void followsTheLoadAndRespectsAHand(TestCluster cluster) throws IOException {
        Cli cli = new Cli(cluster);
        Path size = Files.createTempFile(cluster.logs(), "crowd-", ".txt");
        try (InsideProcess up = cli.up(
                StandIn.model(cluster, "{\"load_seconds\": 2, \"generate_seconds\": 3}"),
                "cluster.component_placement.rollout=0",
                "router_server_args.tensor_parallel_size=1",
                "+router_server_args.metrics.interval_s=0.5",
                "+router_server_args.autoscaling={max_engines: 3, target_ongoing_requests: 50, upscale_delay_s: 2,"
                        + " downscale_delay_s: " + DOWNSCALE_DELAY.toSeconds()
                        + ", look_back_period_s: 2, interval_s: 0.5}")) {
            JsonNode report = Cli.awaitReport(up);
            MetricsIT.Endpoint metrics =
                    new MetricsIT.Endpoint(cluster, report.path("metrics_url").asText());
            set(size, 1);
            try (SteadyLoad crowd =
                    SteadyLoad.crowd(cluster, report.path("api_url").asText(), size)) {
                metrics.await("/metrics", "sglang_ray_autoscaling_ongoing_requests{" + FLEET + "} 1.0");
                metrics.await("/metrics", "sglang_ray_engines_wanted{" + FLEET + "} 1");

                set(size, 200);
                awaitServing(metrics, 3);
                metrics.await("/metrics", "sglang_ray_autoscaling_desired_engines{" + FLEET + "} 3");

                cli.run("scale", "--engines", "2").orFail();
                awaitServing(metrics, 3);

                set(size, 1);
                awaitServing(metrics, 1);

                aHandOutsideTheBoundsHasItsWay(cli, metrics);

                crowd.refresh();
                List<SteadyLoad.Sent> sent = crowd.between(0, Double.MAX_VALUE);
                assertThat(SteadyLoad.failures(sent)).isEmpty();
                assertThat(mostAtOnce(sent)).isBetween(190, 200);
            }
            List<String> events = cli.run("events").orFail().stdout().lines().toList();
            assertThat(events)
                    .anyMatch(line ->
                            line.matches(".*autoscaling: the fleet grows from 1 to [23] engine\\(s\\): \\d+ ongoing"
                                    + " requests, target 50 an engine, for 2 s"))
                    .anyMatch(line ->
                            line.contains("autoscaling: the fleet was given 2 engine(s); its delays begin again"))
                    .anyMatch(line -> line.contains("autoscaling: the fleet grows from 2 to 3 engine(s)"))
                    .anyMatch(line -> line.contains("autoscaling: the fleet shrinks from 3 to 1 engine(s)"))
                    .anyMatch(line -> line.contains("is suspended: it has 4 engine(s), and its bounds are 1 and 3"))
                    .anyMatch(line -> line.contains("autoscaling of the fleet is resumed: it has 2 engine(s)"))
                    .noneMatch(line -> line.contains("stays at"));
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    private static void aHandOutsideTheBoundsHasItsWay(Cli cli, MetricsIT.Endpoint metrics) {
        cli.run("scale", "--engines", "4").orFail();
        metrics.await("/metrics", held("bounds") + "1");
        Awaitility.await("longer than the delay")
                .pollDelay(DOWNSCALE_DELAY.multipliedBy(2))
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> assertThat(metrics.get("/metrics"))
                        .contains("sglang_ray_engines_wanted{" + FLEET + "} 4", held("bounds") + "1"));
        cli.run("scale", "--engines", "2").orFail();
        awaitServing(metrics, 1);
        metrics.await("/metrics", held("bounds") + "0");
    }

    private static String held(String reason) {
        return "sglang_ray_autoscaling_held{" + FLEET + ",reason=\"" + reason + "\"} ";
    }

    private static void awaitServing(MetricsIT.Endpoint metrics, int engines) {
        metrics.await("/metrics", "sglang_ray_engines_registered{" + FLEET + "} " + engines);
        metrics.await("/metrics", "sglang_ray_engines_wanted{" + FLEET + "} " + engines);
    }

    /** Read all the time, so never half written. */
    private static void set(Path file, int requests) throws IOException {
        Path other = Files.writeString(file.resolveSibling(file.getFileName() + ".new"), String.valueOf(requests));
        Files.move(other, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static int mostAtOnce(List<SteadyLoad.Sent> sent) {
        return sent.stream()
                .mapToInt(one -> (int) sent.stream()
                        .filter(other -> other.start() <= one.start() && other.end() > one.start())
                        .count())
                .max()
                .orElse(0);
    }
}
