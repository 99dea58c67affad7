/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.RestartsDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The fault matrix on the newest Ray, with real engines and a soak too. Takes long, so it is run by hand. */
@OnCluster
@Tag("fault")
@EnabledIfSystemProperty(named = FaultMatrixContract.SWITCH, matches = "true")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class FaultMatrixIT extends FaultMatrixContract {

    private static final Logger LOG = LoggerFactory.getLogger(FaultMatrixIT.class);

    private static final ClusterSpec TWO_PROCESSORS = new ClusterSpec(
            PythonEnvironment.NEWEST_RAY, List.of(NodeSpec.onProcessor(1), NodeSpec.onProcessor(1)), Services.RAY);

    /** The main cells with real engines on the machine's CPU. */
    @Test
    void realEngines() {
        try (TestCluster cluster = TestCluster.start(TWO_PROCESSORS);
                FaultScene scene = FaultScene.startReal(
                        cluster, RealFleetIT.tinyModel(cluster, 0), "router_server_args.tensor_parallel_size=1")) {
            new FaultMatrix(scene)
                    .run(List.of(
                            FaultCell.engine("real engine", "kill -9", s -> s.signal(s.engine(), "KILL"))
                                    .within(FaultScene.LOADING),
                            FaultCell.router("router of real engines", "kill -9", s -> s.signal(s.router(), "KILL")),
                            // It has other children too, without which it lives.
                            FaultCell.engine(
                                            "scheduler of a real engine",
                                            "kill -9",
                                            s -> s.signal(s.engineRank("sglang::scheduler"), "KILL"))
                                    .within(FaultScene.LOADING)));
        }
    }

    /** Real engines on the machine's CPU are forked; what they are forked from is broken. */
    @Test
    void forks() {
        try (TestCluster cluster = TestCluster.start(TWO_PROCESSORS);
                FaultScene scene = FaultScene.startReal(
                        cluster,
                        RealFleetIT.tinyModel(cluster, 0),
                        "router_server_args.tensor_parallel_size=1",
                        "+router_server_args.supervision={max_restarts:1000,backoff_max_s:4}")) {
            try {
                new FaultMatrix(scene).run(chosen(FaultCells.forks().stream()));
                scene.awaitForkServers();
                assertThat(scene.status().path("workers"))
                        .allSatisfy(worker -> assertThat(worker.path("conditions"))
                                .noneSatisfy(words -> assertThat(words.asText()).startsWith("no warm start")));
            } finally {
                cluster.saveLogs();
            }
        }
    }

    /**
     * An engine ends while it is drained, and while it loads other weights: there it waits for a file that cannot be read, as
     * long as it lives. On a CPU, SGLang cannot release memory.
     */
    @Test
    void realEnginesEndDuringChanges() {
        String next = "/tmp/next-weights";
        try (TestCluster cluster = TestCluster.start(TWO_PROCESSORS);
                FaultScene scene = FaultScene.startReal(
                        cluster,
                        RealFleetIT.tinyModel(cluster, 0),
                        "router_server_args.tensor_parallel_size=1",
                        "router_server_args.server.log_level=info")) {
            String weights = RealFleetIT.tinyModel(cluster, 1) + "/model.safetensors";
            for (ClusterNode each : cluster.nodes()) {
                sh(cluster, each, "cp -r $(dirname " + weights + ") " + next);
            }
            sh(cluster, scene.engineNode(), "cd " + next + " && rm model.safetensors && mkfifo model.safetensors");
            double begin = SteadyLoad.now();
            try (InsideProcess trainer =
                            new Driver(cluster, RestartsDriver.class).start(Cli.config("fleet.yaml"), next);
                    InsideProcess request = longRequest(scene)) {
                trainer.awaitOutput("drained", FaultScene.LOADING);
                assertThat(request.isAlive()).as("a request is waited for").isTrue();
                scene.signal(scene.engine(), "KILL");
                trainer.awaitOutput("updating", FaultScene.LOADING);
                scene.load.refresh();
                assertThat(SteadyLoad.failures(scene.load.between(begin, SteadyLoad.now())))
                        .isEmpty();
                awaitLoading(scene);
                sh(
                        cluster,
                        scene.engineNode(),
                        "cd " + next + " && cp " + weights + " new && mv new model.safetensors");
                scene.signal(scene.engine(), "KILL");
                assertThat(trainer.await(FaultScene.LOADING).orFail().stdout().lines())
                        .containsSubsequence(
                                "drained",
                                "killed while it drained: drained, and not in the router",
                                "undrained, in the router",
                                "updating",
                                "missing [1], answered by [next]",
                                "both have them, answered by [next]");
            }
        }
    }

    private static InsideProcess longRequest(FaultScene scene) {
        String program = "import sys, urllib.request as r\n"
                + "body = b'{\"text\": \"x\", \"sampling_params\": {\"max_new_tokens\": 1900, \"ignore_eos\": true}}'\n"
                + "while True: r.urlopen(r.Request(sys.argv[1] + '/generate', body,"
                + " {'Content-Type': 'application/json'})).read()";
        List<String> words = List.of(scene.cluster.python().python().toString(), "-c", program, scene.engineUrl());
        return scene.cluster.spawn(scene.cluster.head(), words, Map.of());
    }

    private static void awaitLoading(FaultScene scene) {
        String log = "grep -l 'Update engine weights online from disk begin' -r /tmp/ray/session_2*/logs";
        Awaitility.await("the engine loads").atMost(FaultScene.LOADING).until(() -> {
            ExitResult found = scene.cluster.exec(scene.engineNode(), Cli.DEADLINE, "sh", "-c", log);
            return found.code() == 0;
        });
    }

    private static void sh(TestCluster cluster, ClusterNode node, String script) {
        cluster.exec(node, Cli.DEADLINE, "sh", "-ec", script).orFail();
    }

    /** Another machine comes with a lost one's rank, and another address. */
    @Test
    void aNodeIsReplacedUnderAnotherAddress() {
        NodeSpec second = StandIn.on(NodeSpec.gpus(2).withResource("node_rank:1", 1));
        ClusterSpec three = new ClusterSpec(
                PythonEnvironment.NEWEST_RAY,
                List.of(StandIn.on(NodeSpec.gpus(2).withResource("node_rank:0", 1)), second, second),
                Services.RAY);
        try (TestCluster cluster = TestCluster.start(three)) {
            ClusterNode successor = cluster.nodes().get(2);
            cluster.stop(successor);
            try (FaultScene scene = FaultScene.start(
                    cluster, "{}", "+router_server_args.supervision={probe_interval_s: 1, node_loss_s: 3}")) {
                double lost = SteadyLoad.now();
                cluster.stop(scene.engineNode());
                scene.await("the engine is out", () -> {
                    scene.load.refresh();
                    return !scene.load.last().healthy().contains(scene.engineUrl());
                });
                cluster.startAgain(successor);
                scene.await("the engine is there", () -> {
                    scene.load.refresh();
                    return scene.load.last().healthy().stream().anyMatch(url -> url.contains(successor.ip()));
                });
                scene.await(
                        "a healthy fleet",
                        () -> scene.status().path("verdict").asText().equals("HEALTHY"));
                assertThat(scene.cli.run("events").orFail().stdout())
                        .contains("node 10.9.0.2 is gone: engine 1 serves on 10.9.0.3 instead");
                scene.load.refresh();
                assertThat(SteadyLoad.failures(scene.load.between(lost, SteadyLoad.now())))
                        .isEmpty();
                scene.ended();
                scene.up.signalGroup("INT");
                assertThat(scene.up.await(Cli.DEADLINE).code()).isEqualTo(130);
            }
        }
    }

    /**
     * Faults in a random order that a seed fixes, for {@code -Dfault.minutes}, 10 by default. No request may be lost but while the
     * router itself is away, and each verdict must be true.
     */
    @Test
    void soak(TestCluster cluster) {
        long seed = Long.getLong("fault.seed", 20_261_124);
        long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(Long.getLong("fault.minutes", 10));
        List<FaultCell> cells = FaultCells.soak();
        Map<String, Integer> done = new TreeMap<>();
        List<String> wrong = new ArrayList<>();
        try (FaultScene scene = FaultScene.start(cluster, FaultCells.RANKS, FaultCells.SUPERVISION);
                VerdictWatch watch = new VerdictWatch(scene)) {
            double begin = SteadyLoad.now();
            FaultMatrix matrix = new FaultMatrix(scene);
            Random random = new Random(seed);
            while (System.nanoTime() < end && scene.up.isAlive()) {
                FaultCell cell = cells.get(random.nextInt(cells.size()));
                done.merge(cell.name(), 1, Integer::sum);
                double fault = SteadyLoad.now();
                int known = wrong.size();
                try {
                    matrix.run(List.of(cell));
                } catch (AssertionError | RuntimeException e) {
                    wrong.add(cell.name() + ": " + e.getMessage());
                }
                watch.wrong()
                        .forEach(words -> wrong.add(
                                String.format(Locale.ROOT, "%s at %.1f, a verdict: %s", cell.name(), fault, words)));
                wrong.subList(known, wrong.size()).forEach(LOG::warn);
            }
            scene.load.refresh();
            List<SteadyLoad.Sent> requests = scene.load.between(begin, SteadyLoad.now());
            LOG.warn(
                    "soak of seed {}: {} faults, {} requests, failed {}; verdicts {}, the slowest look {} s; faults: {}",
                    seed,
                    done.values().stream().mapToInt(Integer::intValue).sum(),
                    requests.size(),
                    SteadyLoad.failures(requests),
                    watch.verdicts(),
                    watch.slowest(),
                    done);
            scene.load.lostBehindTheRouter(begin).forEach(request -> wrong.add("lost: " + request));
            assertThat(wrong).isEmpty();
            assertThat(scene.status().path("verdict").asText()).isEqualTo("HEALTHY");
        }
    }
}
