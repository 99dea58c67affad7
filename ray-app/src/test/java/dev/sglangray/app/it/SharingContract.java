/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.TrainerDriver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Fleets and a Python trainer on the same accelerators, on whichever Ray the subclass names. */
@Tag("ray")
abstract class SharingContract {
    private static final String SECOND_NODE = "10.9.0.2";

    /** How many accelerators of a node can be shared at once: Ray 2.39 takes parts of all its bundles out of one device. */
    abstract int shared();

    private String rollout() {
        return "cluster.component_placement.rollout=2-" + (1 + shared());
    }

    private List<String> numbers() {
        return IntStream.range(0, shared()).mapToObj(String::valueOf).toList();
    }

    private static List<String> user(TestCluster cluster, String... words) {
        List<String> command = new ArrayList<>(List.of(
                cluster.python().python().toString(),
                Cli.config("group_user.py").toString(),
                cluster.address()));
        command.addAll(List.of(words));
        return command;
    }

    private static InsideProcess up(TestCluster cluster, String... more) {
        List<String> words = new ArrayList<>(List.of("router_server_args.tensor_parallel_size=1"));
        words.addAll(List.of(more));
        return new Cli(cluster).up(StandIn.model(cluster, "{}"), words.toArray(String[]::new));
    }

    static void end(InsideProcess up) {
        up.signalGroup("INT");
        assertThat(up.await(Cli.DEADLINE).code()).isEqualTo(130);
    }

    static String devices(JsonNode engine) {
        return engine.at("/environment/CUDA_VISIBLE_DEVICES").asText();
    }

    @Test
    void aTrainerGetsTheRestOfAnEnginesAccelerator(TestCluster cluster) {
        try (InsideProcess up = up(
                cluster,
                rollout(),
                "+router_server_args.placement_group={accelerator_share: 0.2, rest: {GPU: 0.8, CPU: 1}}")) {
            String url = Cli.awaitReport(up).path("api_url").asText();
            List<String> engines = FleetContract.askEach(cluster, url, shared()).stream()
                    .map(SharingContract::devices)
                    .toList();
            assertThat(engines).isEqualTo(numbers());
            aTrainerDies(cluster);
            List<String> seen = new ArrayList<>();
            for (String bundle : numbers()) {
                String[] command = user(cluster, "join", "sglang-ray/SGLangServerGroup", bundle, "0.8")
                        .toArray(String[]::new);
                ExitResult trainer =
                        cluster.exec(cluster.head(), Cli.DEADLINE, command).orFail();
                seen.add(trainer.stdout().strip());
            }
            assertThat(seen)
                    .containsExactlyInAnyOrderElementsOf(numbers().stream()
                            .map(number -> "trainer sees " + number)
                            .toList());
            assertThat(new Driver(cluster, TrainerDriver.class)
                            .run(Cli.config("fleet.yaml"))
                            .orFail()
                            .stdout())
                    .contains("the trainer sees [" + engines.get(0) + "]");
            end(up);
        }
        cluster.assertNothingLeft();
    }

    /** What it had of an engine's accelerator is free for the next one. */
    private static void aTrainerDies(TestCluster cluster) {
        List<String> command = user(cluster, "stay", "sglang-ray/SGLangServerGroup", "0", "0.8");
        try (InsideProcess trainer = cluster.spawn(cluster.head(), command, Map.of())) {
            trainer.awaitOutput("trainer sees", Cli.DEADLINE).signal("KILL");
            assertThat(trainer.await(Cli.DEADLINE).code()).isEqualTo(137);
        }
    }

    @Test
    void aFleetGoesIntoTheGroupOfATrainerAndLeavesItThere(TestCluster cluster) {
        try (InsideProcess trainer =
                cluster.spawn(cluster.head(), user(cluster, "make", "training", SECOND_NODE, "2"), Map.of())) {
            trainer.awaitOutput("made", Cli.DEADLINE);
            try (InsideProcess up = up(
                    cluster,
                    "--router-node-rank",
                    "1",
                    rollout(),
                    "+router_server_args.placement_group={name: training, accelerator_share: 0.5}")) {
                JsonNode report = Cli.awaitReport(up);
                assertThat(report.path("workers").findValuesAsText("nodeIp"))
                        .hasSize(1 + shared())
                        .containsOnly(SECOND_NODE);
                assertThat(FleetContract.askEach(cluster, report.path("api_url").asText(), shared()))
                        .extracting(SharingContract::devices)
                        .isEqualTo(numbers());
                assertThat(names(cluster)).containsExactly("training");
                end(up);
            }
            assertThat(names(cluster)).containsExactly("training");
            trainer.signal("TERM");
            trainer.await(Cli.DEADLINE);
        }
        cluster.assertNothingLeft();
    }

    @Test
    void aTrustedConfigurationSaysWhichAccelerator(TestCluster cluster) {
        try (InsideProcess up = up(
                cluster,
                "cluster.component_placement.rollout=3",
                "+router_server_args.placement_group.accelerator_ids=trust_config")) {
            String url = Cli.awaitReport(up).path("api_url").asText();
            JsonNode engine = FleetContract.askEach(cluster, url, 1).get(0);
            assertThat(engine.path("host_name").asText()).isEqualTo("node-b");
            assertThat(devices(engine)).isEqualTo("1");
            end(up);
        }
        cluster.assertNothingLeft();
    }

    private static List<String> names(TestCluster cluster) {
        List<String> names = new ArrayList<>();
        cluster.placementGroups().forEach(group -> {
            if (group.path("state").asText().equals("CREATED")) {
                names.add(group.path("name").asText());
            }
        });
        return names;
    }

    @Test
    void aTableSaysWhatLacksAndWhoHoldsIt(TestCluster cluster) {
        try (InsideProcess group =
                        cluster.spawn(cluster.head(), user(cluster, "make", "training", SECOND_NODE, "1"), Map.of());
                InsideProcess actor =
                        cluster.spawn(cluster.head(), user(cluster, "hold", "Judge", SECOND_NODE, "1"), Map.of())) {
            group.awaitOutput("made", Cli.DEADLINE);
            actor.awaitOutput("holding", Cli.DEADLINE);
            try (InsideProcess up = up(cluster, "--reserve-timeout", "4", "cluster.component_placement.rollout=1-2")) {
                ExitResult result = up.await(Cli.DEADLINE);
                assertThat(result.code()).isNotZero();
                assertThat(result.stderr())
                        .contains("BUNDLE", "LACKS", "SGLangServerGroup:1  GPU 1  " + SECOND_NODE)
                        .contains(
                                "node 10.9.0.2: placement group \"training\" of namespace \"sglang-ray\" (CREATED) holds")
                        .contains("node 10.9.0.2: actor Judge holds");
            }
            assertThat(names(cluster)).containsExactly("training");
            group.signal("TERM");
            actor.signal("TERM");
            group.await(Cli.DEADLINE);
            actor.await(Cli.DEADLINE);
        }
        cluster.assertNothingLeft();
    }
}
