/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.monitor.FakeFleet;
import dev.sglangray.app.monitor.FakeFleet.FakeWorker;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.ListenAddress;
import dev.sglangray.app.monitor.PoolDemand;
import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.engine.ReleasedMemory;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is served of a fleet, over HTTP, from looks at a fake one. */
class FleetMetricsTest {
    private final FakeFleet fleet = new FakeFleet(2);
    private final HttpClient client = HttpClient.newHttpClient();
    private FleetMetrics metrics;
    private FleetMonitor monitor;

    @BeforeEach
    void open() throws IOException {
        metrics = FleetMetrics.open(MetricsSettings.DEFAULT, facts(), () -> fleet.now);
        monitor = new FleetMonitor(fleet, () -> fleet.now);
        monitor.add(metrics);
    }

    @AfterEach
    void close() {
        monitor.close();
    }

    private FleetMetrics.Facts facts() {
        return new FleetMetrics.Facts(
                "E",
                "10.0.0.1",
                fleet.plan().router().orElse(null),
                pool -> SupervisionPolicy.DEFAULT,
                SupervisionPolicy.DEFAULT);
    }

    private HttpResponse<String> get(String path) {
        return send(HttpRequest.newBuilder(URI.create(metrics.url() + path)));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return client.send(request.timeout(Duration.ofSeconds(20)).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The value of a sample, by its name and some of its labels; NaN when there is none. */
    private double value(String name, String... labels) {
        List<String> lines = get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + "{"))
                .filter(line -> Stream.of(labels).allMatch(line::contains))
                .toList();
        assertThat(lines).as(name + " " + List.of(labels)).hasSizeLessThan(2);
        return lines.isEmpty()
                ? Double.NaN
                : Double.parseDouble(lines.get(0).substring(lines.get(0).lastIndexOf(' ') + 1));
    }

    private void look(int afterSeconds) {
        fleet.passes(afterSeconds);
        monitor.look();
    }

    private static void serves(FakeFleet fleet, FakeWorker engine, int rank) {
        engine.state = "READY";
        fleet.listed.add(rank);
    }

    @Test
    void countsEnginesByStateAndRegistration() {
        fleet.engine(1).state = "RESTARTING";
        fleet.listed.remove(1);
        look(0);

        assertThat(get("/metrics").headers().firstValue("content-type"))
                .hasValue("text/plain; version=0.0.4; charset=utf-8");
        assertThat(value("sglang_ray_engines", "fleet=\"E\"", "state=\"ready\""))
                .isOne();
        assertThat(value("sglang_ray_engines", "state=\"restarting\"")).isOne();
        assertThat(value("sglang_ray_engines", "state=\"gone\"")).isZero();
        assertThat(value("sglang_ray_engines_wanted")).isEqualTo(2);
        assertThat(value("sglang_ray_engines_registered")).isOne();
        assertThat(value("sglang_ray_engines_unregistered")).isOne();
        assertThat(value("sglang_ray_engine_up", "rank=\"0\"", "node=\"10.0.0.1\""))
                .isOne();
        assertThat(value("sglang_ray_engine_up", "rank=\"1\"")).isZero();
        assertThat(value("sglang_ray_accelerators", "use=\"planned\"")).isEqualTo(2);
        assertThat(value("sglang_ray_accelerators", "use=\"running\"")).isOne();
    }

    @Test
    void anEngineThatGoesHasNoSeriesAnyMore() {
        look(0);
        assertThat(value("sglang_ray_engine_up", "rank=\"1\"")).isOne();

        fleet.remove(1);
        fleet.wanted = 1;
        look(5);

        assertThat(value("sglang_ray_engine_up", "rank=\"1\"")).isNaN();
        assertThat(value("sglang_ray_engines_wanted")).isOne();
    }

    @Test
    void countsProbesAndRepairsAcrossProcesses() {
        fleet.engine(0).probes = 3;
        fleet.repairs = 1;
        look(0);
        assertThat(value("sglang_ray_probes_total", "kind=\"engine\"")).isEqualTo(3);
        fleet.engine(0).probes = 5;
        look(5);
        fleet.engine(0).replaced();
        fleet.engine(0).probes = 2;
        fleet.repairs = 4;
        look(5);

        assertThat(value("sglang_ray_probes_total", "kind=\"engine\"")).isEqualTo(7);
        assertThat(value("sglang_ray_registry_repairs_total")).isEqualTo(4);
    }

    @Test
    void aForkServerHasAnAge() {
        fleet.engine(1).forkServerSince = fleet.now.toString();
        look(90);

        assertThat(value("sglang_ray_fork_server_age_seconds", "rank=\"1\"")).isEqualTo(90);
        assertThat(value("sglang_ray_fork_server_age_seconds", "rank=\"0\"")).isNaN();
    }

    @Test
    void countsARestartWithItsCauseAndHowLongItTook() {
        look(0);
        assertThat(value("sglang_ray_restarts_total", "kind=\"engine\"", "cause=\"exit\""))
                .as("counted from 0 on")
                .isZero();
        FakeWorker engine = fleet.engine(0);
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        look(5);
        fleet.happens(engine, EventKind.EXITED, "it ended by signal 9");
        fleet.happens(engine, EventKind.WITHDRAWN, "no requests are sent to it");
        fleet.happens(engine, EventKind.RESTARTING, "a new engine is started at once");
        look(5);
        fleet.happens(engine, EventKind.RECOVERED, "serves again");
        fleet.passes(2);
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        fleet.happens(engine, EventKind.EXITED, "it ended by signal 9; its log: out of memory");
        look(0);

        assertThat(value("sglang_ray_restarts_total", "kind=\"engine\"", "cause=\"exit\""))
                .isOne();
        assertThat(value("sglang_ray_recovery_seconds_count", "kind=\"engine\""))
                .isOne();
        assertThat(value("sglang_ray_recovery_seconds_sum", "kind=\"engine\"")).isEqualTo(5);
        assertThat(value("sglang_ray_recovery_seconds_bucket", "kind=\"engine\"", "le=\"1.0\""))
                .isZero();
        assertThat(value("sglang_ray_recovery_seconds_bucket", "kind=\"engine\"", "le=\"5.0\""))
                .isOne();
        assertThat(value("sglang_ray_out_of_service_seconds_sum")).isEqualTo(7);
        assertThat(value("sglang_ray_restart_budget_used_ratio", "kind=\"engine\"", "rank=\"0\""))
                .isEqualTo(0.2);

        // What is said later of the process that ended is no second end.
        fleet.happens(engine, EventKind.RESTART_WANTED, "by a person");
        fleet.happens(engine, EventKind.RECOVERED, "serves again");
        look(700);
        assertThat(value("sglang_ray_restarts_total", "kind=\"engine\"", "cause=\"requested\""))
                .isOne();
        assertThat(value("sglang_ray_restarts_total", "kind=\"engine\"", "cause=\"exit\""))
                .isOne();
        assertThat(value("sglang_ray_restart_budget_used_ratio", "kind=\"engine\"", "rank=\"0\""))
                .as("the window is over")
                .isZero();
    }

    @Test
    void countsEachEventOnce() {
        fleet.happens(fleet.engine(0), EventKind.PROBE_FAILED, "probe 1 of 3 failed");
        look(1);
        look(1);
        fleet.happens(fleet.engine(0), EventKind.PROBE_FAILED, "probe 2 of 3 failed");
        look(1);

        assertThat(value("sglang_ray_probe_failures_total", "kind=\"engine\"")).isEqualTo(2);
    }

    @Test
    void doesNotCountWhatWasBeforeTheOwner() {
        fleet.passes(-60);
        fleet.happens(fleet.engine(0), EventKind.PROBE_FAILED, "probe 1 of 3 failed");
        look(60);

        assertThat(value("sglang_ray_probe_failures_total", "kind=\"engine\"")).isZero();
    }

    @Test
    void aWorkersOwnEndIsCountedFromItsSilenceOn() {
        FakeWorker engine = fleet.engine(0);
        fleet.happens(engine, EventKind.STARTED, "serves");
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        look(1);
        engine.answers = false;
        look(4);
        assertThat(value("sglang_ray_engines", "state=\"gone\"")).isOne();
        engine.answers = true;
        engine.replaced();
        fleet.passes(5);
        fleet.happens(engine, EventKind.WORKER_RESTARTED, "the worker's process ended");
        look(0);
        fleet.passes(10);
        fleet.happens(engine, EventKind.RECOVERED, "serves again");
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        look(0);
        look(1);

        assertThat(value("sglang_ray_restarts_total", "kind=\"engine\"", "cause=\"worker\""))
                .isOne();
        assertThat(value("sglang_ray_recovery_seconds_sum", "kind=\"engine\"")).isEqualTo(15);
        assertThat(value("sglang_ray_out_of_service_seconds_sum")).isEqualTo(15);
    }

    @Test
    void anEngineThatMovedIsARestart() {
        FakeWorker engine = fleet.engine(1);
        fleet.happens(engine, EventKind.STARTED, "serves");
        look(1);
        engine.answers = false;
        look(1);
        engine.answers = true;
        engine.replaced();
        engine.node = "other";
        fleet.passes(20);
        fleet.happens(engine, EventKind.STARTED, "serves");
        look(0);
        look(1);

        assertThat(value("sglang_ray_restarts_total", "kind=\"engine\"", "cause=\"moved\""))
                .isOne();
        assertThat(value("sglang_ray_recovery_seconds_sum", "kind=\"engine\"")).isEqualTo(20);
    }

    @Test
    void measuresTheUpdateOfAnEnginesWeights() {
        FakeWorker engine = fleet.engine(0);
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        fleet.happens(engine, EventKind.HELD, "weights are replaced by version 2");
        fleet.passes(1);
        fleet.happens(engine, EventKind.WITHDRAWN, "no requests are sent to it");
        fleet.passes(7);
        fleet.happens(engine, EventKind.WEIGHTS, "the engine has weights of version 2");
        fleet.passes(2);
        fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
        engine.version = "2";
        fleet.engine(1).version = "1";
        look(0);

        assertThat(value("sglang_ray_weight_update_seconds_sum", "phase=\"withdraw\""))
                .isOne();
        assertThat(value("sglang_ray_weight_update_seconds_sum", "phase=\"load\""))
                .isEqualTo(7);
        assertThat(value("sglang_ray_weight_update_seconds_sum", "phase=\"return\""))
                .isEqualTo(2);
        assertThat(value("sglang_ray_weight_version_info", "rank=\"0\"", "version=\"2\"", "model=\"m\""))
                .isOne();
        assertThat(value("sglang_ray_weight_version_info", "rank=\"1\"", "version=\"1\"", "updates=\"true\""))
                .isOne();
    }

    @Test
    void saysWhatIsHeldAndDrained() {
        fleet.engine(0).conditions = List.of(new ReleasedMemory(List.of("weights"), false).text());
        fleet.happens(fleet.engine(1), EventKind.DRAINED, EngineController.DRAIN_BEGINS);
        fleet.happens(fleet.engine(1), EventKind.DRAINED, "new requests may come again");
        look(0);

        assertThat(value("sglang_ray_memory_released", "rank=\"0\"")).isOne();
        assertThat(value("sglang_ray_memory_released", "rank=\"1\"")).isZero();
        assertThat(value("sglang_ray_drains_total")).isOne();
    }

    @Test
    void countsTheOwnersOwnDeeds() {
        monitor.phase("start", Duration.ofSeconds(60));
        monitor.scaled("", true, true);
        monitor.scaled("", false, false);
        look(0);

        assertThat(value("sglang_ray_launch_phase_seconds_sum", "phase=\"start\""))
                .isEqualTo(60);
        assertThat(value("sglang_ray_scale_changes_total", "direction=\"up\"", "result=\"done\""))
                .isOne();
        assertThat(value("sglang_ray_scale_changes_total", "direction=\"down\"", "result=\"failed\""))
                .isOne();
    }

    @Test
    void isReadyWhenTheShareServes() {
        assertThat(get("/readyz").statusCode()).as("before the first look").isEqualTo(503);
        look(0);
        assertThat(get("/readyz").statusCode()).isEqualTo(200);

        fleet.engine(1).state = "RESTARTING";
        look(5);
        HttpResponse<String> less = get("/readyz");
        assertThat(less.statusCode()).isEqualTo(503);
        assertThat(less.body())
                .isEqualTo("1 of 2 engine(s) serve, and ready_share 1.0 needs 2: engine 1 is RESTARTING\n");

        serves(fleet, fleet.engine(1), 1);
        look(5);
        assertThat(get("/readyz").statusCode()).isEqualTo(200);

        fleet.listed.remove(0);
        look(5);
        assertThat(get("/readyz").body()).contains("engine 0 is not in the router");

        fleet.routerAnswers = false;
        look(5);
        assertThat(get("/readyz").body()).isEqualTo("the router is GONE\n");
    }

    @Test
    void aSmallerShareIsEnoughWhereThatIsConfigured() {
        fleet.engine(1).state = "FAILED";
        FleetLook look = fleet.look(worker -> 0, false);
        assertThat(look.unready(0.5)).isEmpty();
        assertThat(look.unready(0.51)).isPresent();
        assertThat(look.unready(0)).isEmpty();
        fleet.remove(1);
        assertThat(fleet.look(worker -> 0, false).unready(1.0).orElseThrow()).contains("1 engine(s) have no worker");
    }

    @Test
    void livesAsLongAsItLooksAndIsReadyAsLongAsItSees() {
        look(0);
        fleet.failure = new IllegalStateException("Ray does not answer");
        look(200);
        assertThat(get("/livez").statusCode())
                .as("it looks, though it sees nothing")
                .isEqualTo(200);
        HttpResponse<String> blind = get("/readyz");
        assertThat(blind.statusCode()).isEqualTo(503);
        assertThat(blind.body()).isEqualTo("the owner could not look at its fleet for 200 s\n");

        fleet.passes(200);
        assertThat(get("/livez").statusCode()).as("it does not look any more").isEqualTo(503);

        fleet.failure = null;
        look(0);
        assertThat(get("/livez").statusCode()).isEqualTo(200);
        assertThat(get("/readyz").statusCode()).isEqualTo(200);
        assertThat(value("sglang_ray_look_failures_total")).isOne();
    }

    private JsonNode targets() throws IOException {
        return new ObjectMapper().readTree(get("/sd").body());
    }

    @Test
    void listsWhatPrometheusIsToScrape() throws IOException {
        String own = metrics.url().substring("http://".length());
        assertThat(targets().findValuesAsText("targets"))
                .as("before the first look")
                .hasSize(1);
        look(0);
        assertThat(get("/sd").headers().firstValue("content-type")).hasValue("application/json");
        assertThat(targets().toString())
                .isEqualTo(("[{'targets':['" + own + "'],'labels':{'fleet':'E','role':'owner'}},"
                                + "{'targets':['10.0.0.1:29000'],'labels':{'fleet':'E','role':'router','rank':'0','node':'10.0.0.1'}},"
                                + "{'targets':['10.0.0.1:30000'],'labels':{'fleet':'E','role':'regular','rank':'0','node':'10.0.0.1','model':'m'}},"
                                + "{'targets':['10.0.0.2:30000'],'labels':{'fleet':'E','role':'regular','rank':'1','node':'10.0.0.2','model':'m'}}]")
                        .replace('\'', '"'));

        fleet.engine(0).state = "FAILED";
        fleet.remove(1);
        look(5);
        assertThat(targets().findValuesAsText("role")).containsExactly("owner", "router");
    }

    @Test
    void refusesWhatIsNotThere() {
        assertThat(get("/").statusCode()).isEqualTo(404);
        assertThat(get("/metrics/x").body()).isEqualTo("there is /livez, /metrics, /readyz, /sd\n");
        assertThat(send(HttpRequest.newBuilder(URI.create(metrics.url() + "/metrics"))
                                .POST(HttpRequest.BodyPublishers.ofString("x")))
                        .statusCode())
                .isEqualTo(405);
        HttpResponse<String> head = send(HttpRequest.newBuilder(URI.create(metrics.url() + "/livez"))
                .method("HEAD", HttpRequest.BodyPublishers.noBody()));
        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(head.body()).isEmpty();
    }

    @Test
    void aPortThatIsTakenIsRefused() {
        int taken = URI.create(metrics.url()).getPort();
        assertThatThrownBy(() -> FleetMetrics.open(
                        new MetricsSettings(new ListenAddress(taken, "127.0.0.1"), 1, 5), facts(), () -> fleet.now))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in use");
    }

    /** What a look at a fleet to which everything happened shows. */
    @Test
    void everyMetricIsServedUnderItsName() {
        fleet.engine(0).forkServerSince = fleet.now.toString();
        countsARestartWithItsCauseAndHowLongItTook();
        measuresTheUpdateOfAnEnginesWeights();
        countsTheOwnersOwnDeeds();
        saysWhatAutoscalingMakesOfTheLoad();
        TreeSet<String> served = get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("# TYPE "))
                .map(line -> line.split(" ", -1)[2])
                .filter(name -> !name.endsWith("_max"))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(served)
                .isEqualTo(Stream.of(Meters.values())
                        .map(Meters::prometheusName)
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Test
    void saysWhatAutoscalingMakesOfTheLoad() {
        monitor.look();
        assertThat(value("sglang_ray_autoscaling_desired_engines")).isNaN();
        monitor.demand(new PoolDemand("", 34.5, 3, Set.of("bounds")));
        monitor.decided("", true, PoolDemand.Result.FAILED);
        monitor.look();
        assertThat(value("sglang_ray_autoscaling_desired_engines")).isEqualTo(3);
        assertThat(value("sglang_ray_autoscaling_ongoing_requests")).isEqualTo(34.5);
        assertThat(value("sglang_ray_autoscaling_held", "reason=\"bounds\"")).isEqualTo(1);
        assertThat(value("sglang_ray_autoscaling_held", "reason=\"failed\"")).isZero();
        String decisions = "sglang_ray_autoscaling_decisions_total";
        assertThat(value(decisions, "direction=\"up\"", "result=\"failed\"")).isEqualTo(1);
        assertThat(value(decisions, "direction=\"down\"", "result=\"done\"")).isZero();
    }
}
