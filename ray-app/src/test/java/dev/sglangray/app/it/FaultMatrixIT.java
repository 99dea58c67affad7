/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.TestCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
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

    /** The main cells with real engines on the machine's CPU. */
    @Test
    void realEngines() {
        NodeSpec node = NodeSpec.gpus(1);
        ClusterSpec two = new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(node, node), Services.RAY);
        Duration loading = Duration.ofMinutes(9);
        try (TestCluster cluster = TestCluster.start(two);
                FaultScene scene = FaultScene.startReal(
                        cluster, RealFleetIT.tinyModel(cluster, 0), "router_server_args.tensor_parallel_size=1")) {
            new FaultMatrix(scene)
                    .run(List.of(
                            FaultCell.engine("real engine", "kill -9", s -> s.signal(s.engine(), "KILL"))
                                    .within(loading),
                            FaultCell.router("router of real engines", "kill -9", s -> s.signal(s.router(), "KILL")),
                            FaultCell.engine("real engine's child", "kill -9", s -> s.signal(s.engineChild(), "KILL"))
                                    .within(loading)));
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
                try {
                    matrix.run(List.of(cell));
                } catch (AssertionError | RuntimeException e) {
                    wrong.add(cell.name() + ": " + e.getMessage());
                }
                watch.wrong()
                        .forEach(words -> wrong.add(
                                String.format(Locale.ROOT, "%s at %.1f, a verdict: %s", cell.name(), fault, words)));
                wrong.forEach(LOG::warn);
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
            assertThat(wrong).isEmpty();
            assertThat(scene.load.lostBehindTheRouter(begin)).isEmpty();
            assertThat(scene.status().path("verdict").asText()).isEqualTo("HEALTHY");
        }
    }
}
