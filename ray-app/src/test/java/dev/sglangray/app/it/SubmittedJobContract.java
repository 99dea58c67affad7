/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.GuideDriver;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code ray job submit} on two nodes, of which the second gets nothing by hand. */
@Tag("ray")
abstract class SubmittedJobContract {

    @Test
    void launchesOnBothNodesAndEndsWithRayJobStop(TestCluster cluster) throws IOException {
        SubmittedJob job = new SubmittedJob(cluster, "good");
        try (InsideProcess submit = job.submit("router_server_args.model_path=" + StandIn.model(cluster, "{}"))) {
            submit.awaitOutput(SubmittedJob.SERVES, Cli.DEADLINE);
            assertThat(FleetContract.askEach(cluster, SubmittedJob.url(submit), 2))
                    .extracting(engine -> engine.path("host_name").asText())
                    .containsExactly("node-a", "node-b");
            job.stop().orFail();
            submit.await(Cli.DEADLINE);
            assertThat(job.status().stdout()).contains("was stopped");
        }
        cluster.assertNothingLeft();
    }

    @Test
    void runsAJavaProgramOfTheUsers(TestCluster cluster) throws IOException {
        String model = "router_server_args.model_path=" + StandIn.model(cluster, "{}");
        try (InsideProcess submit = new SubmittedJob(cluster, "driver").submit(GuideDriver.class, model)) {
            ExitResult result = submit.await(Cli.DEADLINE).orFail();
            assertThat(result.stdout()).contains("healthy [true, true] [true]");
        }
        cluster.assertNothingLeft();
    }

    @Test
    void failsWhenTheLaunchFails(TestCluster cluster) throws IOException {
        Path model = StandIn.model(cluster, "{\"last_words\": \"no such weights\", \"exit_code\": 3}");
        try (InsideProcess submit = new SubmittedJob(cluster, "bad").submit("router_server_args.model_path=" + model)) {
            ExitResult result = submit.await(Cli.DEADLINE);
            assertThat(result.code()).as(result.toString()).isNotZero();
            assertThat(result.stdout() + result.stderr()).contains("no such weights");
        }
        cluster.assertNothingLeft();
    }
}
