/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cli.CommandRun;
import dev.sglangray.app.cli.SglangRay;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.Launcher;
import dev.sglangray.app.cli.context.SignalHandlers;
import dev.sglangray.app.cli.show.Console;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sglang-ray plan} for clusters that only a file describes: neither Ray nor Python is there. */
class PlanCommandTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    private Path folder;

    private Path config = Path.of("");
    private Path cluster = Path.of("");

    @BeforeEach
    void write() throws IOException {
        config = Files.writeString(folder.resolve("fleet.yaml"), """
                cluster:
                  num_nodes: 2
                  component_placement: {rollout: 0-3}
                router_server_args:
                  model_path: /m
                  tensor_parallel_size: 2
                  pipeline_parallel_size: 1
                  server: {model_path: "${..model_path}", tp_size: 2, api_key: sesame}
                  router: {policy: random}
                """);
        cluster = Files.writeString(folder.resolve("cluster.json"), """
                {"nodes": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2", "accelerators": 4}]}
                """);
    }

    private int run(String... more) {
        List<String> words = new ArrayList<>(List.of("plan", "-c", config.toString()));
        words.addAll(List.of(more));
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                false);
        CliContext context = new CliContext(
                console,
                SignalHandlers.interrupting(Thread.currentThread()),
                new Launcher(null, null, null),
                System.getenv());
        return SglangRay.run(context, words.toArray(String[]::new));
    }

    private String result() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String messages() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void drawsThePlan() {
        assertThat(run("--cluster", cluster.toString())).isEqualTo(ExitCode.OK);
        assertThat(result())
                .contains("2 engines, a router on node 0", "1     [0 0|1 1]\n")
                .doesNotContain("sesame");
    }

    @Test
    void theJsonIsOneObject() throws IOException {
        assertThat(run("--cluster", cluster.toString(), "--json")).isEqualTo(ExitCode.OK);
        JsonNode plan = new ObjectMapper().readTree(result());
        assertThat(plan.at("/engines/1/node_ip").asText()).isEqualTo("10.0.0.2");
        assertThat(plan.at("/placement_group/strategy").asText()).isEqualTo("PACK");
        assertThat(messages()).isEmpty();
    }

    private void withPools(String... items) throws IOException {
        Files.writeString(
                config,
                Files.readString(config).replace("0-3", "0-7")
                        + "  pools:\n"
                        + String.join(
                                "",
                                List.of(items).stream()
                                        .map(item -> "    - " + item + "\n")
                                        .toList()));
        Files.writeString(
                cluster,
                "{\"nodes\": [{\"ip\": \"10.0.0.1\", \"accelerators\": 4}, {\"ip\": \"10.0.0.2\", \"accelerators\": 4}]}");
    }

    @Test
    void poolsAreDrawnAndListed() throws IOException {
        withPools(
                "{name: prefill, worker_type: prefill, engines: 1, tensor_parallel_size: 4, server: {tp_size: 4}}",
                "{name: decode, worker_type: decode, env_vars: {NCCL_DEBUG: INFO}}");

        assertThat(run("--cluster", cluster.toString())).as(messages()).isEqualTo(ExitCode.OK);
        assertThat(result())
                .contains("3 engines, a router", "[0 0 0 0]", "[1 1|2 2]", "srt, pool prefill", "srt, pool decode");
        out.reset();
        assertThat(run("--cluster", cluster.toString(), "--explain", "2")).isEqualTo(ExitCode.OK);
        assertThat(result()).contains("pool: decode");
        out.reset();
        assertThat(run("--cluster", cluster.toString(), "--json")).isEqualTo(ExitCode.OK);
        JsonNode plan = new ObjectMapper().readTree(result());
        assertThat(plan.path("engines").findValuesAsText("pool")).containsExactly("prefill", "decode", "decode");
        assertThat(plan.at("/engines/0/server_args/disaggregation_mode").asText())
                .isEqualTo("prefill");
        assertThat(plan.at("/engines/2/server_args/tp_size").asInt()).isEqualTo(2);
        assertThat(plan.at("/engines/2/environment/NCCL_DEBUG").asText()).isEqualTo("INFO");
        assertThat(plan.at("/engines/0/environment").has("NCCL_DEBUG")).isFalse();
        assertThat(plan.at("/router/router_args/pd_disaggregation").asBoolean()).isTrue();
    }

    @Test
    void poolsThatNeedMoreRanksThanTheirComponentHasAreRefused() throws IOException {
        withPools("{name: one, engines: 3}", "{name: two, engines: 2}");

        assertThat(run("--cluster", cluster.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(messages())
                .contains(
                        "SGLangServerGroup, pool two: asks for 2 engine(s) of 2 accelerator(s), and component 'rollout' has 2"
                                + " rank(s) left for it");
        err.reset();
        assertThat(run("--cluster", cluster.toString(), "--explicit-placement")).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("router_server_args.pools[0]", "each pool needs a component of its own");
    }

    @Test
    void aPortThatTwoEnginesOfAPoolWouldHaveIsReportedThere() throws IOException {
        withPools("{name: one, engines: 1}", "{name: two, server: {grpc_port: 9000}}");

        assertThat(run("--cluster", cluster.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("router_server_args.pools[1].server.grpc_port: SGLangServerGroup:2 and");
    }

    @Test
    void aPythonThatIsNamedMustAnswerAndWithoutOneUnknownKeysAreTold() {
        assertThat(run("--cluster", cluster.toString(), "--python", "/no/such/python"))
                .isEqualTo(ExitCode.ENVIRONMENT);
        assertThat(messages()).contains("/no/such/python");
        assertThat(run("--cluster", cluster.toString(), "+router_server_args.server.of_another_version=1"))
                .isEqualTo(ExitCode.OK);
        assertThat(messages()).contains("warning: router_server_args.server.of_another_version: sglang 0.5.23 has no");
    }

    @Test
    void enginesOfANodeCannotShareAPort() {
        String port = "+router_server_args.server.grpc_port=9000";
        String shared = write("shared.json", "{\"nodes\": [{\"ip\": \"10.0.0.2\", \"accelerators\": 4}]}");

        assertThat(run("--cluster", shared, "cluster.num_nodes=1", port)).isEqualTo(ExitCode.USAGE);
        assertThat(messages())
                .contains(
                        "error: router_server_args.server.grpc_port: SGLangServerGroup:0 and SGLangServerGroup:1 are both on"
                                + " node rank 0 (10.0.0.2), where one process only can listen at port 9000",
                        "fix: leave it unset, or place one engine on each node");
        assertThat(run("--cluster", cluster.toString(), "cluster.component_placement.rollout=0-1", port))
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void anEngineThatLooksBeyondItsAcceleratorsIsRefused() {
        String base = "+router_server_args.server.base_gpu_id=";
        String step = "+router_server_args.server.gpu_id_step=";

        assertThat(run("--cluster", cluster.toString(), base + "2")).isEqualTo(ExitCode.USAGE);
        assertThat(messages())
                .contains(
                        "error: router_server_args.server.base_gpu_id: engine 0 would use the accelerators 2 to 3, but it sees its"
                                + " own 2 only, which it counts from 0",
                        "base_gpu_id + (size - 1) * gpu_id_step must not be above 1",
                        "leave base_gpu_id and gpu_id_step unset");
        assertThat(run("--cluster", cluster.toString(), step + "2")).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("server.gpu_id_step: engine 0 would use the accelerators 0 to 2");
        assertThat(run("--cluster", cluster.toString(), base + "0", step + "1")).isEqualTo(ExitCode.OK);
        assertThat(run("--cluster", cluster.toString(), base + "1", "router_server_args.server.tp_size=1"))
                .as("one rank at the second accelerator of two")
                .isEqualTo(ExitCode.OK);
        assertThat(run("--cluster", cluster.toString(), base + "2", "+router_server_args.server.device=cpu"))
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void aHostThatIsAdvertisedIsOfOneNode() {
        String advertised = "+router_server_args.advertise_host=engines.example.org";
        String twoNodes = write(
                "two.json",
                "{\"nodes\": [{\"ip\": \"10.0.0.1\", \"accelerators\": 2}, {\"ip\": \"10.0.0.2\", \"accelerators\": 2}]}");

        assertThat(run("--cluster", cluster.toString(), advertised)).isEqualTo(ExitCode.OK);
        assertThat(run("--cluster", twoNodes, advertised)).isNotEqualTo(ExitCode.OK);
        assertThat(messages())
                .contains(
                        "advertise_host is 'engines.example.org', which is one host, but the engines would be on 2 nodes",
                        "Nodes: 10.0.0.1, 10.0.0.2");
        assertThat(run("--cluster", twoNodes)).isEqualTo(ExitCode.OK);
    }

    private String write(String name, String text) {
        try {
            return Files.writeString(folder.resolve(name), text).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void explainsOneProcess() {
        assertThat(run("--cluster", cluster.toString(), "--explain", "1")).isEqualTo(ExitCode.OK);
        assertThat(result()).startsWith("engine 1 of 2").contains("api_key: <hidden>");
        out.reset();
        assertThat(run("--cluster", cluster.toString(), "--explain", "router")).isEqualTo(ExitCode.OK);
        assertThat(result()).startsWith("router: actor SGLangRouterGroup:0");
    }

    @Test
    void showsNoSecretsThatInterpolationsPutElsewhere() {
        for (String more : List.of("--json", "--explain=0", "--timings")) {
            CommandRun run = CommandRun.of(
                    Map.of("MY_SECRET", "s3cr3t-word"),
                    "plan",
                    "-c",
                    config.toString(),
                    "--cluster",
                    cluster.toString(),
                    more,
                    "+router_server_args.server.served_model_name='x-${oc.env:MY_SECRET}'",
                    "+router_server_args.server.tokenizer_path='redis://u:s3cr3t-word2@h/x'",
                    "+router_server_args.server.hicache_storage_backend_extra_config='{\"hf_token\": \"s3cr3t-word3\"}'",
                    "+router_server_args.group_name='g-${oc.env:MY_SECRET}'");
            assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
            assertThat(run.out() + run.err()).as(more).doesNotContain("s3cr3t-word");
            if (!more.equals("--timings")) {
                assertThat(run.out()).contains("x-<hidden>");
            }
        }
    }

    @Test
    void refusesWithWords() {
        assertThat(run("--cluster", cluster.toString(), "--explain", "7")).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("there is no engine 7; ranks run from 0 to 1");
        assertThat(run("--cluster", cluster.toString(), "--explain", "x")).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("--explain takes an engine's rank or the word router, not 'x'");
        assertThat(run("--cluster", folder.resolve("no").toString())).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("there is no such file");
        assertThat(run("--cluster", cluster.toString(), "--address", "a:1")).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("give one of them");
        assertThat(run("--cluster", cluster.toString(), "cluster.num_nodes=3")).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("cluster.num_nodes is 3");
    }

    @Test
    void showsTheRefusalOfABadFile() throws IOException {
        Files.writeString(cluster, "nodes:\n  - {ip: a, acelerators: 2}\n");
        assertThat(run("--cluster", cluster.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(messages()).contains("cluster.json:2", "did you mean 'accelerators'?");
    }
}
