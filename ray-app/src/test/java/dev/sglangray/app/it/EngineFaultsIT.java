/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Engines that do not come up: the error has their own last words, and the fleet is taken back. */
@OnCluster
@Tag("fault")
class EngineFaultsIT {

    @Test
    void anEngineThatDiesWhileLoading(TestCluster cluster) {
        ExitResult result = up(
                cluster, "{\"load_seconds\": 1, \"last_words\": \"out of memory, said the engine\", \"exit_code\": 3}");
        assertThat(result.code()).as(result.toString()).isEqualTo(1);
        assertThat(result.stderr())
                .contains("out of memory, said the engine", "exit code 3", "SGLangServerGroup", ".log");
        // The deadline for engines is 900 s: the death was noticed, not waited for.
        assertThat(result.duration()).isLessThan(Duration.ofSeconds(90));
    }

    @Test
    void anEngineThatNeverBecomesHealthy(TestCluster cluster) {
        ExitResult result = up(cluster, "{\"never_healthy\": true}", "--health-timeout", "8");
        assertThat(result.code()).as(result.toString()).isEqualTo(1);
        assertThat(result.stderr()).contains("did not become healthy within 8 s", "503");
    }

    @Test
    void anEngineThatIgnoresSigterm(TestCluster cluster) {
        ExitResult result = up(cluster, "{\"never_healthy\": true, \"ignore_sigterm\": true}", "--health-timeout", "5");
        assertThat(result.code()).as(result.toString()).isEqualTo(1);
        assertThat(result.stderr()).contains("did not become healthy within 5 s");
    }

    private static ExitResult up(TestCluster cluster, String behaviour, String... more) {
        try (InsideProcess process = new Cli(cluster).upWithProgress(StandIn.model(cluster, behaviour), more)) {
            return process.await(Cli.DEADLINE);
        }
    }
}
