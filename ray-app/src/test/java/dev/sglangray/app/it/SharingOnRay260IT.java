/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.ProcessRow;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

@OnCluster(ray = PythonEnvironment.NEWEST_RAY)
class SharingOnRay260IT extends SharingContract {
    private static final Duration LOADING = Duration.ofSeconds(2);

    @Override
    int shared() {
        return 2;
    }

    @Test
    void enginesOfOneAcceleratorThatDieTogetherStartOneAfterTheOther(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        String behaviour = "{\"load_seconds\": %d}".formatted(LOADING.toSeconds());
        try (InsideProcess up = cli.up(
                StandIn.model(cluster, behaviour),
                "--explicit-placement",
                "router_server_args.tensor_parallel_size=1",
                "cluster.component_placement.rollout='2:0-1'")) {
            String url = Cli.awaitReport(up).path("api_url").asText();
            assertThat(FleetContract.askEach(cluster, url, 2))
                    .extracting(SharingContract::devices)
                    .containsOnly("0");
            List<ProcessRow> engines =
                    FaultScene.engines(cluster, cluster.nodes().get(1));
            assertThat(engines).hasSize(2);
            engines.forEach(cluster::kill);
            Awaitility.await("both engines anew")
                    .atMost(Cli.DEADLINE)
                    .pollInterval(Duration.ofSeconds(2))
                    .until(() -> recoveries(cli).size() == 2);
            List<Instant> recovered = recoveries(cli);
            assertThat(Duration.between(recovered.get(0), recovered.get(1))).isGreaterThanOrEqualTo(LOADING);
            end(up);
        }
        cluster.assertNothingLeft();
    }

    /** When engines served again, in order. */
    private static List<Instant> recoveries(Cli cli) {
        return cli.run("events", "--json")
                .orFail()
                .stdout()
                .lines()
                .map(Cli::parse)
                .filter(event -> event.path("kind").asText().equals("RECOVERED"))
                .map(event -> Instant.parse(event.path("time").asText()))
                .toList();
    }
}
