/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.AttachDriver;
import dev.sglangray.app.drivers.GuideDriver;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The main job, on whichever Ray the subclass names: two nodes, two engines, one router. */
@Tag("ray")
abstract class FleetContract {

    @Test
    void launchesTwoEnginesOnTwoNodesAndEndsThemOnCtrlC(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        try (InsideProcess up = cli.up(StandIn.model(cluster, "{}"))) {
            JsonNode report = Cli.awaitReport(up);
            String url = report.path("api_url").asText();
            assertThat(url).startsWith("http://10.9.0.1:");
            assertThat(report.path("workers").findValuesAsText("nodeIp"))
                    .containsExactly("10.9.0.1", "10.9.0.1", "10.9.0.2");
            assertThat(report.path("registered").findValuesAsText("healthy")).containsExactly("true", "true");

            List<JsonNode> engines = askEach(cluster, url, 2);
            assertThat(engines)
                    .extracting(engine -> engine.path("host_name").asText())
                    .containsExactly("node-a", "node-b");
            assertThat(engines).allSatisfy(engine -> {
                assertThat(engine.at("/environment/CUDA_VISIBLE_DEVICES").asText())
                        .isEqualTo("0,1");
                assertThat(engine.at("/args/host").asText()).isEqualTo("0.0.0.0");
                assertThat(engine.at("/args/tp_size").asInt()).isEqualTo(2);
                assertThat(engine.at("/args/port").asInt()).isBetween(1024, 55535);
                assertThat(engine.at("/args/dist_init_addr").asText()).isNotBlank();
            });

            assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");
            JsonNode status = Cli.json(cli.run("status", "--json").orFail().stdout());
            assertThat(status.path("workers").findValuesAsText("state")).containsExactly("READY", "READY", "READY");

            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    @Test
    void givesADriverTheHandlesOfTheGuide(TestCluster cluster) {
        ExitResult result = new Driver(cluster, GuideDriver.class)
                .run(Cli.config("fleet.yaml"), "router_server_args.model_path=" + StandIn.model(cluster, "{}"))
                .orFail();
        assertThat(result.stdout().lines())
                .contains(
                        "healthy after lookups [true, true]",
                        "healthy [true, true] [true]",
                        "listed 2",
                        "unregistered true, listed 1",
                        "answered by one engine",
                        "generated true",
                        "registered again, listed 2",
                        "shutdown [true] [true, true]",
                        "healthy [false, false] [false]")
                .anyMatch(line -> line.matches("engines \\[http://10\\.9\\.0\\.1:\\d+, http://10\\.9\\.0\\.2:\\d+]"))
                .anyMatch(line -> line.matches("router http://10\\.9\\.0\\.1:\\d+"));
    }

    @Test
    void isFoundAndUsedByASecondDriver(TestCluster cluster) {
        try (InsideProcess up = new Cli(cluster).up(StandIn.model(cluster, "{}"))) {
            JsonNode report = Cli.awaitReport(up);
            ExitResult second = new Driver(cluster, AttachDriver.class)
                    .run(Cli.config("fleet.yaml"))
                    .orFail();
            assertThat(second.stdout().lines())
                    .contains("attached to 2 engines, router "
                            + report.path("api_url").asText())
                    .contains("healthy [true, true] [true]")
                    .contains("a group of that name is not there");
            assertThat(up.isAlive()).as("the owner's fleet goes on").isTrue();
            assertThat(cluster.get(report.path("api_url").asText() + "/health")
                            .path("status")
                            .asInt())
                    .isEqualTo(200);

            new Cli(cluster).run("down").orFail();
            assertThat(up.await(Cli.DEADLINE).code())
                    .as("its fleet was taken away")
                    .isEqualTo(4);
        }
    }

    /** What each engine says of itself, asked through the router, by host name and port. */
    static List<JsonNode> askEach(TestCluster cluster, String url, int engines) {
        List<JsonNode> answers = new ArrayList<>();
        JsonNode request = JsonNodeFactory.instance.objectNode().put("text", "who?");
        for (int i = 0; i < 4 * engines; i++) {
            JsonNode answer = cluster.post(url + "/generate", request);
            assertThat(answer.path("status").asInt()).as(answer.toString()).isEqualTo(200);
            JsonNode facts = Cli.parse(answer.path("text").asText()).path("meta_info");
            if (answers.stream().noneMatch(seen -> seen.path("pid").equals(facts.path("pid")))) {
                answers.add(facts);
            }
        }
        assertThat(answers).hasSize(engines);
        answers.sort(
                Comparator.comparing((JsonNode facts) -> facts.path("host_name").asText())
                        .thenComparing(facts ->
                                facts.at("/environment/CUDA_VISIBLE_DEVICES").asText()));
        return answers;
    }
}
