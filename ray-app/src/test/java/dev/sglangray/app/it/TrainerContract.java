/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Python drivers that attach to a fleet and launch one, on whichever Ray the subclass names. */
@Tag("ray")
abstract class TrainerContract {

    /** How many accelerators of a node can be shared at once: Ray 2.39 takes parts of all its bundles out of one device. */
    abstract int shared();

    private static InsideProcess trainer(TestCluster cluster, String... words) {
        List<String> command = new ArrayList<>(List.of(
                cluster.python().python().toString(), Cli.config("trainer.py").toString(), cluster.address()));
        command.addAll(List.of(words));
        return cluster.spawn(
                cluster.head(),
                command,
                Map.of(
                        "PYTHONPATH",
                        PythonEnvironment.repository()
                                .resolve("python-bridge/src/main/python")
                                .toString(),
                        "SGLANG_RAY_PROGRAM",
                        Cli.dist().resolve("sglang-ray").toString()));
    }

    private static List<String> gateways(TestCluster cluster) {
        List<String> alive = new ArrayList<>();
        for (JsonNode actor : cluster.actors()) {
            if (actor.path("name").asText().endsWith(":gateway")
                    && !actor.path("state").asText().equals("DEAD")) {
                alive.add(actor.path("name").asText());
            }
        }
        return alive;
    }

    @Test
    void aTrainerOfAnotherNamespaceUsesAFleetAndIsToldOfItsEnd(TestCluster cluster) {
        String rollout = "cluster.component_placement.rollout=2-" + (1 + shared());
        try (InsideProcess up = new Cli(cluster)
                .up(
                        StandIn.model(cluster, "{}"),
                        "router_server_args.tensor_parallel_size=1",
                        rollout,
                        "+router_server_args.placement_group={accelerator_share: 0.2, rest: {GPU: 0.8, CPU: 1}}")) {
            String url = Cli.awaitReport(up).path("api_url").asText();
            assertThat(gateways(cluster)).containsExactly("SGLangServerGroup:gateway");
            List<String> yes =
                    IntStream.range(0, shared()).mapToObj(rank -> "True").toList();
            List<String> lines;
            try (InsideProcess use = trainer(cluster, "use", "0.8")) {
                lines = use.await(Cli.DEADLINE).orFail().stdout().lines().toList();
            }
            assertThat(lines)
                    .contains(
                            "engines " + shared() + ", router " + url,
                            "healthy " + yes.toString() + " [True]",
                            "unregistered [True], listed " + (shared() - 1),
                            "registered True, listed " + shared(),
                            "pushed, missing (), True, {'as tensors'}",
                            "not found, but there is: True",
                            "refused: the argument 'lines' must be a whole number, not \"many\"",
                            "failed: SGLangServerGroup 0 releaseMemory, True",
                            "too late, done False, others go on: True",
                            "attached 100 times, the same after it: True")
                    .anyMatch(line -> line.startsWith("states ['READY'") && line.endsWith("first True"));
            assertThat(lines.stream().filter(line -> line.contains("its trainer on")))
                    .hasSize(shared())
                    .allMatch(line -> line.matches("engine \\d on (\\d), its trainer on \\1"));
            try (InsideProcess losing = trainer(cluster, "lose")) {
                losing.awaitOutput("waiting", Cli.DEADLINE);
                cluster.processes().stream()
                        .filter(row -> row.command().startsWith("ray::Gateway"))
                        .forEach(cluster::kill);
                losing.awaitOutput("the call was lost, others go on: True", Cli.DEADLINE);
                losing.await(Cli.DEADLINE).orFail();
            }
            // Another trainer attaches to the fleet as before.
            try (InsideProcess waiting = trainer(cluster, "wait")) {
                waiting.awaitOutput("waiting", Cli.DEADLINE);
                up.signalGroup("INT");
                waiting.awaitOutput("told that the fleet ended", Cli.DEADLINE);
                waiting.await(Cli.DEADLINE).orFail();
            }
            up.await(Cli.DEADLINE);
        }
        cluster.assertNothingLeft();
    }

    @Test
    void aTrainerLaunchesAFleetThatOutlivesIt(TestCluster cluster) {
        String model = "router_server_args.model_path=" + StandIn.model(cluster, "{}");
        try {
            try (InsideProcess launch =
                    trainer(cluster, "launch", Cli.config("fleet.yaml").toString(), model)) {
                launch.awaitOutput("launched [True, True] in sglang-ray, training", Cli.DEADLINE);
                assertThat(launch.stdout()).contains("refused with 2");
                launch.signal("KILL");
                launch.await(Cli.DEADLINE);
            }
            JsonNode status =
                    Cli.json(new Cli(cluster).run("status", "--json").orFail().stdout());
            assertThat(status.path("verdict").asText()).isEqualTo("HEALTHY");
            try (InsideProcess waiting = trainer(cluster, "wait")) {
                waiting.awaitOutput("waiting", Cli.DEADLINE);
                killOwner(cluster);
                waiting.awaitOutput("told that the fleet ended", Cli.DEADLINE);
            }
        } finally {
            new Cli(cluster).run("down", "--force");
        }
        cluster.assertNothingLeft();
    }

    private static void killOwner(TestCluster cluster) {
        JsonNode status =
                Cli.json(new Cli(cluster).run("status", "--json").orFail().stdout());
        List<Long> workers = new ArrayList<>();
        status.path("workers")
                .forEach(worker -> workers.add(worker.path("workerPid").asLong()));
        cluster.processes().stream()
                // The raylet's own command line has those words too.
                .filter(row -> row.command().matches("(\\S*/)?java .*DefaultWorker.*"))
                .filter(row -> !workers.contains(row.innerPid()))
                .forEach(cluster::kill);
    }

    @Test
    void bundlesOfATrainersGroupAreInTheOrderOfNodesAndDevices(TestCluster cluster) {
        try (InsideProcess order = trainer(cluster, "order", "training", shared() > 1 ? "0.01" : "1")) {
            assertThat(order.await(Cli.DEADLINE).orFail().stdout().lines())
                    .containsExactly(
                            "order [('10.9.0.1', '0'), ('10.9.0.1', '1'), ('10.9.0.2', '0'), ('10.9.0.2', '1')]",
                            "indices [0, 1, 2, 3]");
        }
        cluster.assertNothingLeft();
    }

    @Test
    void engineAndTrainerOfARankMeetOnOneDevice(TestCluster cluster) {
        boolean all = shared() > 1;
        String nodes = all ? "10.9.0.2,10.9.0.1,10.9.0.2,10.9.0.1" : "10.9.0.2,10.9.0.1";
        try (InsideProcess meet = trainer(
                cluster,
                "meet",
                nodes,
                all ? "0.01" : "1",
                Cli.config("fleet.yaml").toString(),
                "router_server_args.model_path=" + StandIn.model(cluster, "{}"),
                "router_server_args.tensor_parallel_size=1",
                "cluster.component_placement.rollout=" + (all ? "0-3" : "1-2"))) {
            List<String> lines =
                    meet.await(Cli.DEADLINE).orFail().stdout().lines().toList();
            List<String> met = lines.stream()
                    .filter(line -> line.startsWith("engine "))
                    .map(line -> line.replaceAll("engine \\d on 10\\.9\\.0\\.", ""))
                    .toList();
            assertThat(met)
                    .containsExactlyElementsOf((all ? Stream.of("2 1", "2 0", "1 1", "1 0") : Stream.of("2 0", "1 0"))
                            .map(place -> place + ", meets its trainer: True")
                            .toList());
        } finally {
            new Cli(cluster).run("down", "--force");
        }
        cluster.assertNothingLeft();
    }
}
