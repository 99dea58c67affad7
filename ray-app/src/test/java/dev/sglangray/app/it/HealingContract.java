/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.ProcessRow;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Each process of a fleet is killed or stopped, and the fleet serves as before without anybody's help; how long that took is
 * logged. That nothing is left is checked after each test.
 */
@Tag("fault")
abstract class HealingContract {
    private static final Logger LOG = LoggerFactory.getLogger(HealingContract.class);

    private static final String PROBES = "+router_server_args.supervision={probe_interval_s:1,probe_timeout_s:2}";

    @Test
    void ofAnEngine(TestCluster cluster) {
        try (Running fleet = Running.with(cluster, "{}")) {
            JsonNode engine = fleet.part("server");
            fleet.measureEngine(
                    "engine, kill -9",
                    engine,
                    () -> kill(cluster, engine.path("pid").asLong()));
            JsonNode healed = fleet.part("server");
            assertThat(healed.path("url")).isEqualTo(engine.path("url"));
            assertThat(healed.path("restarts").asInt()).isOne();
            assertThat(healed.path("lastError").asText()).contains("SIGKILL");
            assertThat(healed.path("workerPid")).isEqualTo(engine.path("workerPid"));
            assertThat(fleet.status().path("verdict").asText()).isEqualTo("HEALTHY");
            assertThat(fleet.cli.run("events").orFail().stdout())
                    .contains("SGLangServerGroup:0", "exited", "withdrawn", "recovered", "published");
        }
    }

    @Test
    void ofAnEnginesChild(TestCluster cluster) {
        try (Running fleet = Running.with(cluster, "{\"die_with_child\": true}")) {
            JsonNode engine = fleet.part("server");
            fleet.measureEngine("engine's child, kill -9", engine, () -> {
                long main = row(cluster, engine.path("pid").asLong()).pid();
                cluster.kill(cluster.processes().stream()
                        .filter(row -> row.parent() == main)
                        .max(Comparator.comparing(ProcessRow::pid))
                        .orElseThrow());
                return null;
            });
        }
    }

    @Test
    void ofAnEngineThatAnswersButGeneratesNothing(TestCluster cluster) {
        try (Running fleet = Running.with(cluster, "{}", PROBES)) {
            JsonNode engine = fleet.part("server");
            String url = engine.path("url").asText();
            Path mute = fleet.model.resolve("mute-" + url.substring(url.lastIndexOf(':') + 1));
            fleet.measureEngine(
                    "engine, generates nothing (3 probes, 1 s apart)", engine, () -> Files.createFile(mute), mute);
            assertThat(fleet.part("server").path("lastError").asText())
                    .contains("does not work: the probe was answered with HTTP 503");
        }
    }

    @Test
    void ofAStoppedEngine(TestCluster cluster) {
        try (Running fleet = Running.with(cluster, "{}", PROBES)) {
            JsonNode engine = fleet.part("server");
            fleet.measureEngine("engine, SIGSTOP (3 probes of 2 s, 1 s apart)", engine, () -> {
                cluster.signal(row(cluster, engine.path("pid").asLong()), "STOP");
                return null;
            });
        }
    }

    @Test
    void ofAServerWorker(TestCluster cluster) {
        try (Running fleet = Running.with(cluster, "{}")) {
            JsonNode engine = fleet.part("server");
            fleet.measureEngine(
                    "server worker JVM, kill -9",
                    engine,
                    () -> kill(cluster, engine.path("workerPid").asLong()));
            JsonNode healed = fleet.part("server");
            assertThat(healed.path("url")).isEqualTo(engine.path("url"));
            assertThat(healed.path("workerPid")).isNotEqualTo(engine.path("workerPid"));
        }
    }

    @Test
    void ofTheRouter(TestCluster cluster) {
        try (Running fleet = Running.with(cluster, "{}")) {
            JsonNode router = fleet.part("router");
            fleet.measureRouter(
                    "router, kill -9", () -> kill(cluster, router.path("pid").asLong()));
            assertThat(fleet.part("router").path("url")).isEqualTo(router.path("url"));
        }
    }

    @Test
    void ofTheRouterWorker(TestCluster cluster) {
        try (Running fleet = Running.with(cluster, "{}")) {
            JsonNode router = fleet.part("router");
            fleet.measureRouter(
                    "router worker JVM, kill -9",
                    () -> kill(cluster, router.path("workerPid").asLong()));
            assertThat(fleet.part("router").path("url")).isEqualTo(router.path("url"));
            assertThat(fleet.part("router").path("workerPid")).isNotEqualTo(router.path("workerPid"));
            // The new router worker can be told as the old one could.
            JsonNode engine = fleet.part("server");
            fleet.measureEngine(
                    "engine after that, kill -9",
                    engine,
                    () -> kill(cluster, engine.path("pid").asLong()));
        }
    }

    @Test
    void ofNothingWhenTheBudgetIsSpent(TestCluster cluster) {
        String none = "+router_server_args.supervision={max_restarts:0,on_degraded:fail}";
        try (Running fleet = Running.with(cluster, "{}", none)) {
            kill(cluster, fleet.part("server").path("pid").asLong());
            assertThat(fleet.up.await(Cli.DEADLINE).code()).isEqualTo(4);
            assertThat(fleet.up.stderr()).contains("on_degraded is fail");
            fleet.ended = true;
        }
    }

    @Test
    void rollingRestartLosesNoRequest(TestCluster cluster) throws Exception {
        try (Running fleet = Running.with(cluster, "{}");
                InsideProcess restart = fleet.cli.start("restart", "--rolling")) {
            int asked = 0;
            while (restart.isAlive()) {
                assertThat(fleet.ask()).as("request " + asked).isNotNegative();
                asked++;
            }
            assertThat(restart.await(Cli.DEADLINE).code()).as(restart.stderr()).isZero();
            assertThat(FleetContract.askEach(cluster, fleet.url, 2)).hasSize(2);
            assertThat(fleet.part("server").path("restarts").asInt()).isOne();
            LOG.warn("rolling restart of 2 engines: {} requests, none failed", asked);
        }
    }

    private static @Nullable Object kill(TestCluster cluster, long innerPid) {
        cluster.kill(row(cluster, innerPid));
        return null;
    }

    private static ProcessRow row(TestCluster cluster, long innerPid) {
        return cluster.processes().stream()
                .filter(row -> row.innerPid() == innerPid)
                .findFirst()
                .orElseThrow();
    }

    /** A fleet under {@code up} in the foreground, which goes on through all that happens to it. */
    private static final class Running implements AutoCloseable {
        private final TestCluster cluster;
        private final Path model;
        private final Cli cli;
        private final InsideProcess up;
        private final String url;
        private boolean ended;

        private Running(TestCluster cluster, Path model, String... more) {
            this.cluster = cluster;
            this.model = model;
            this.cli = new Cli(cluster);
            this.up = cli.up(model, more);
            this.url = Cli.awaitReport(up).path("api_url").asText();
        }

        static Running with(TestCluster cluster, String behaviour, String... more) {
            return new Running(cluster, StandIn.model(cluster, behaviour), more);
        }

        JsonNode status() {
            return Cli.json(cli.run("status", "--json").orFail().stdout());
        }

        JsonNode part(String kind) {
            for (JsonNode worker : status().path("workers")) {
                if (worker.path("kind").asText().equals(kind)) {
                    return worker;
                }
            }
            throw new AssertionError("no " + kind);
        }

        /** The process that answered; -1 when nobody did. */
        long ask() {
            JsonNode answer = cluster.post(url + "/generate", Cli.parse("{\"text\": \"who?\"}"));
            return answer.path("status").asInt() == 200
                    ? Cli.parse(answer.path("text").asText())
                            .at("/meta_info/pid")
                            .asLong()
                    : -1;
        }

        private boolean lists(String engine) {
            for (JsonNode worker : Cli.parse(
                            cluster.get(url + "/workers").path("text").asText())
                    .path("workers")) {
                if (worker.path("url").asText().equals(engine)) {
                    return worker.path("is_healthy").asBoolean();
                }
            }
            return false;
        }

        void measureEngine(String fault, JsonNode engine, Callable<?> doIt, Path... gone) {
            String engineUrl = engine.path("url").asText();
            assertThat(lists(engineUrl)).isTrue();
            long begin = call(doIt);
            await("the router without it", () -> !lists(engineUrl));
            long detected = System.nanoTime();
            for (Path file : gone) {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
            await("the router with it", () -> lists(engineUrl));
            long served = System.nanoTime();
            assertThat(FleetContract.askEach(cluster, url, 2)).hasSize(2);
            report(fault, begin, detected, served);
        }

        void measureRouter(String fault, Callable<?> doIt) {
            assertThat(ask()).isPositive();
            long begin = call(doIt);
            await("no answer", () -> ask() < 0);
            long detected = System.nanoTime();
            await("an answer", () -> ask() > 0);
            long served = System.nanoTime();
            await(
                    "both engines",
                    () -> cluster.get(url + "/workers").path("text").asText().split("\"is_healthy\":true", -1).length
                            == 3);
            assertThat(FleetContract.askEach(cluster, url, 2)).hasSize(2);
            report(fault, begin, detected, served);
        }

        private static long call(Callable<?> doIt) {
            try {
                long begin = System.nanoTime();
                doIt.call();
                return begin;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }

        private void await(String what, Callable<Boolean> condition) {
            Awaitility.await(what)
                    .atMost(Duration.ofMinutes(2))
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(20))
                    .failFast("the command ended", () -> !up.isAlive())
                    .until(condition);
        }

        private static void report(String fault, long begin, long detected, long served) {
            String line = String.format(
                    "%s: out of service after %.2f s, serving again after %.2f s",
                    fault, (detected - begin) / 1e9, (served - begin) / 1e9);
            LOG.warn(line);
        }

        @Override
        public void close() {
            try (up) {
                if (!ended) {
                    up.signalGroup("INT");
                    assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
                }
            }
            cluster.assertNothingLeft();
        }
    }
}
