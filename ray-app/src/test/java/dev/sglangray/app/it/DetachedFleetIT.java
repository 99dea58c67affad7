/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.ProcessMemory;
import dev.sglangray.app.cluster.ProcessRow;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A fleet that outlives the command that launched it, and the commands that find it. */
@OnCluster
@Tag("ray")
class DetachedFleetIT {
    private static final String KEY = "stand-in-key-4711";
    private static final String SHA256_OF_KEY = "597bbff163b61d515c4ce7bb849ecbac10ed0a980e76c1f9ad47a66e028bc525";

    @Test
    void livesUntilDown(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        try (Cli.Ending down = cli.downAtEnd();
                InsideProcess up = cli.up(StandIn.model(cluster, "{}"), "--detach")) {
            ExitResult launched = up.await(Cli.DEADLINE).orFail();
            String url = Cli.json(launched.stdout()).path("api_url").asText();

            assertThat(FleetContract.askEach(cluster, url, 2)).hasSize(2);
            JsonNode status = Cli.json(cli.run("status", "--json").orFail().stdout());
            assertThat(status.path("api_url").asText()).isEqualTo(url);
            ExitResult second =
                    cli.run(Cli.upWords(Cli.config("fleet.yaml"), StandIn.model(cluster, "{}"), new String[] {
                        "--detach", "router_server_args.launch_server=false"
                    }));
            assertThat(second.code()).as(second.toString()).isEqualTo(1);
            assertThat(second.stderr())
                    .contains("'SGLangRouterGroup:0'", "another fleet uses this group")
                    .doesNotContain("unexpected failure");
            assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");
        }
        cluster.assertNothingLeft();
        assertThat(cli.run("status").code()).isEqualTo(1);
        assertThat(cli.run("down").code()).isEqualTo(1);
    }

    /** Two fleets of one namespace: a command that names one group touches nothing of the other. */
    @Test
    void isNamedByItsGroupAlone(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        launch(cli, cluster, "0-0");
        launch(
                cli,
                cluster,
                "1-1",
                "router_server_args.group_name=Mine",
                "router_server_args.router_group_name=MyRouter");
        try (Cli.Ending down = cli.downAtEnd();
                Cli.Ending downMine =
                        () -> cli.run("down", "--force", "--group", "Mine", "--router-group", "MyRouter")) {
            String url = apiUrl(cli);
            String mine = apiUrl(cli, "--group", "Mine");
            assertThat(mine).isNotEqualTo(url);
            long router = routerPid(cli);
            cli.run("restart", "--with-router", "--group", "Mine").orFail();
            assertThat(routerPid(cli)).isEqualTo(router);

            cluster.signal(row(cluster, "MyRouter:0"), "KILL");
            Awaitility.await("its own router is back")
                    .atMost(Cli.DEADLINE)
                    .untilAsserted(
                            () -> assertThat(verdict(cli, "--group", "Mine")).isEqualTo("HEALTHY"));
            assertThat(apiUrl(cli, "--router-group", "MyRouter", "--group", "Mine"))
                    .isEqualTo(mine);
            assertThat(cli.run("status", "--router-group", "MyRouter").orFail().stdout())
                    .as("the router that was named, and no engine of another fleet")
                    .doesNotContain("engine ");

            cli.run("down", "--group", "Mine").orFail();
            assertThat(verdict(cli)).isEqualTo("HEALTHY");
            assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");
            assertThat(cli.run("down", "--force", "--group", "Mine").code()).isEqualTo(1);
            assertThat(verdict(cli)).isEqualTo("HEALTHY");
        }
        cluster.assertNothingLeft();
    }

    private static void launch(Cli cli, TestCluster cluster, String ranks, String... more) {
        List<String> words = new ArrayList<>(List.of(
                "--detach",
                "cluster.component_placement.rollout=" + ranks,
                "router_server_args.tensor_parallel_size=1"));
        words.addAll(List.of(more));
        cli.run(Cli.upWords(Cli.config("fleet.yaml"), StandIn.model(cluster, "{}"), words.toArray(String[]::new)))
                .orFail();
    }

    private static JsonNode status(Cli cli, String... names) {
        List<String> words = new ArrayList<>(List.of("status", "--json"));
        words.addAll(List.of(names));
        return Cli.json(cli.run(words.toArray(String[]::new)).orFail().stdout());
    }

    private static String apiUrl(Cli cli, String... names) {
        return status(cli, names).path("api_url").asText();
    }

    private static String verdict(Cli cli, String... names) {
        return status(cli, names).path("verdict").asText();
    }

    private static long routerPid(Cli cli) {
        return status(cli).path("workers").path(0).path("pid").asLong();
    }

    @Test
    void isTakenBackWhenItsLaunchFails(TestCluster cluster) {
        String behaviour = "{\"last_words\": \"no such weights\"}";
        try (InsideProcess up = new Cli(cluster).up(StandIn.model(cluster, behaviour), "--detach")) {
            ExitResult result = up.await(Cli.DEADLINE);
            assertThat(result.code()).as(result.toString()).isEqualTo(1);
            assertThat(result.stderr()).contains("no such weights");
        }
        cluster.assertNothingLeft();
    }

    @Test
    void isCheckedBeforeThereIsAnOwner(TestCluster cluster) {
        int actors = cluster.actors().size();
        try (InsideProcess up = new Cli(cluster)
                .up(StandIn.model(cluster, "{}"), "--detach", "+router_server_args.server.mem_fraction_statik=0.5")) {
            ExitResult result = up.await(Cli.DEADLINE);
            assertThat(result.code()).as(result.toString()).isEqualTo(2);
            assertThat(result.stderr()).contains("mem_fraction_statik", "mem_fraction_static");
        }
        assertThat(cluster.actors()).hasSize(actors);
    }

    @Test
    void needsNothingOfTheRestOfTheConfiguration(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        try (Cli.Ending down = cli.downAtEnd();
                InsideProcess up = cli.up(
                        StandIn.model(cluster, "{}"),
                        "--detach",
                        "+actor.model.path='???'",
                        "+actor.seed='${oc.env:UNSET}'")) {
            up.await(Cli.DEADLINE).orFail();
        }
        cluster.assertNothingLeft();
    }

    @Test
    void isTakenBackWhenTheCommandIsKilledMeanwhile(TestCluster cluster) {
        try (InsideProcess up =
                new Cli(cluster).upWithProgress(StandIn.model(cluster, "{\"load_seconds\": 600}"), "--detach")) {
            up.awaitOutput("SGLangRouterGroup:0 serves", Cli.DEADLINE);
            up.signal("KILL");
            up.await(Cli.DEADLINE);
        }
        Awaitility.await("the owner notices")
                .atMost(Cli.DEADLINE)
                .until(() -> cluster.leftovers().isEmpty());
    }

    /** Ray starts the owner again; what it finds goes on, and is changed and ended by it as before. */
    @Test
    void outlivesTheProcessOfItsOwner(TestCluster cluster) {
        Map<String, String> environment = Map.of(
                "RAY_ADDRESS",
                cluster.address(),
                "SGLANG_RAY_PYTHON",
                cluster.python().python().toString(),
                "FLEET_KEY",
                KEY);
        Cli cli = new Cli(cluster, cluster.head(), environment);
        launch(cli, cluster, "0-1", "+router_server_args.server.api_key='${oc.env:FLEET_KEY}'");
        assertThat(ProcessMemory.holds(cluster.gcs(), "SGLangServerGroup:0"))
                .as("what Ray's control store holds can be read")
                .isTrue();
        assertThat(ProcessMemory.holds(cluster.gcs(), KEY))
                .as("Ray's control store holds a key")
                .isFalse();
        assertThat(keys(cli, cluster)).containsOnly(SHA256_OF_KEY);
        JsonNode before = status(cli);
        ProcessRow first = owner(cluster);
        cluster.kill(first);
        Awaitility.await("a successor")
                .atMost(Cli.DEADLINE)
                .ignoreExceptions()
                .until(() -> owner(cluster).pid() != first.pid());
        assertThat(pids(status(cli)))
                .as("no other process of the fleet was touched")
                .isEqualTo(pids(before));
        assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");

        Awaitility.await("the successor changes the fleet")
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> cli.run("scale", "--engines", "1").orFail());
        cli.run("scale", "--engines", "3").orFail();
        cluster.kill(row(cluster, "SGLangServerGroup:2"));
        Awaitility.await("the worker's process is replaced")
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> {
                    assertThat(verdict(cli)).isEqualTo("HEALTHY");
                    assertThat(status(cli).path("workers")).hasSize(4);
                });
        assertThat(keys(cli, cluster))
                .as("workers that were restarted, or made by a successor")
                .containsOnly(SHA256_OF_KEY);

        ProcessRow second = owner(cluster);
        cluster.kill(second);
        Awaitility.await("another successor, of a fleet that had grown")
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> cli.run("scale", "--engines", "2").orFail());
        assertThat(verdict(cli)).isEqualTo("HEALTHY");
        assertThat(ProcessMemory.holds(cluster.gcs(), KEY)).isFalse();
        cli.run("down").orFail();
        cluster.assertNothingLeft();
        assertThat(cluster.memoryFiles()).isEmpty();
    }

    /** The hashes of the keys that the engines have. */
    private static List<String> keys(Cli cli, TestCluster cluster) {
        JsonNode status = status(cli);
        int engines = status.path("workers").size() - 1;
        return FleetContract.askEach(cluster, status.path("api_url").asText(), engines).stream()
                .map(facts -> facts.path("api_key_sha256").asText())
                .toList();
    }

    private static List<Long> pids(JsonNode status) {
        return StreamSupport.stream(status.path("workers").spliterator(), false)
                .map(worker -> worker.path("pid").asLong())
                .toList();
    }

    @Test
    void isTakenBackWhenTheProcessOfItsOwnerDiesMeanwhile(TestCluster cluster) {
        try (InsideProcess up =
                new Cli(cluster).upWithProgress(StandIn.model(cluster, "{\"load_seconds\": 600}"), "--detach")) {
            up.awaitOutput("SGLangRouterGroup:0 serves", Cli.DEADLINE);
            cluster.kill(owner(cluster));
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(1);
        }
        Awaitility.await("nothing left of it")
                .atMost(Cli.DEADLINE)
                .until(() -> cluster.leftovers().isEmpty());
    }

    /** Nothing starts an owner again that was killed for good. */
    @Test
    void servesWithoutItsOwnerUntilDown(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        launch(cli, cluster, "0-1");
        String program = "import ray, sys\nray.init(sys.argv[1], namespace='sglang-ray', log_to_driver=False)\n"
                + "ray.kill(ray.get_actor('sglang-ray-owner/SGLangServerGroup'), no_restart=True)\nray.shutdown()";
        try (InsideProcess kill = cluster.spawn(
                cluster.head(),
                List.of(cluster.python().python().toString(), "-c", program, cluster.address()),
                Map.of())) {
            kill.await(Cli.DEADLINE).orFail();
        }
        Awaitility.await("the death of its gateway")
                .atMost(Cli.DEADLINE)
                .until(() -> !lives(cluster, "SGLangServerGroup:gateway"));
        assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");
        ExitResult scale = cli.run("scale", "--engines", "1");
        assertThat(scale.code()).as(scale.toString()).isEqualTo(1);
        assertThat(scale.stderr()).doesNotContain("unexpected failure");
        cli.run("down").orFail();
        cluster.assertNothingLeft();
        assertThat(cli.run("down").code()).isEqualTo(1);
    }

    private static boolean lives(TestCluster cluster, String name) {
        return StreamSupport.stream(cluster.actors().spliterator(), false)
                .anyMatch(actor -> actor.path("name").asText().equals(name)
                        && !actor.path("state").asText().equals("DEAD"));
    }

    private static ProcessRow owner(TestCluster cluster) {
        return row(cluster, "sglang-ray-owner/SGLangServerGroup");
    }

    /** The process of a living actor. */
    private static ProcessRow row(TestCluster cluster, String name) {
        long pid = StreamSupport.stream(cluster.actors().spliterator(), false)
                .filter(actor -> actor.path("name").asText().equals(name))
                .filter(actor -> actor.path("state").asText().equals("ALIVE"))
                .mapToLong(actor -> actor.path("pid").asLong())
                .findFirst()
                .orElseThrow();
        return cluster.processes().stream()
                .filter(row -> row.innerPid() == pid)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void isPlannedWithoutStartingAnything(TestCluster cluster) {
        int actors = cluster.actors().size();
        ExitResult plan =
                new Cli(cluster).run("plan", "-c", Cli.config("fleet.yaml").toString());
        assertThat(plan.orFail().stdout()).contains("10.9.0.1", "10.9.0.2");
        assertThat(cluster.actors()).hasSize(actors);
    }
}
