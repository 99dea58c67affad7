/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cli.CommandRun;
import dev.sglangray.app.cli.context.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValidateCommandTest {
    private static final String GUIDE = """
            cluster:
              num_nodes: 2
              component_placement:
                rollout: all
            router_server_args:
              model_path: /m
              tensor_parallel_size: 2
              pipeline_parallel_size: 1
              server:
                model_path: ${..model_path}
                tp_size: ${..tensor_parallel_size}
                log_level: warning
              router:
                policy: cache_aware
            """;

    @TempDir
    private Path folder;

    @Test
    void acceptsWhatALaunchCouldStart() throws IOException {
        CommandRun run = validate(GUIDE);

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.out())
                .contains("valid: a launch could start")
                .contains("sglang 0.5.23 as bundled", "sglang-router 0.3.2 as bundled");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0.5.12.post1 | 0 | valid: a launch could start; compared with sglang 0.5.12.post1 as released",
                "0.5.17 | 0 | warning: router_server_args.server.cuda_graph_max_bs: is passed on as 'cuda_graph_max_bs_decode'",
                "0.5.23 | 0 | valid: a launch could start; 1 warning; compared with sglang 0.5.23 as released",
                "0.5.24 | 2 | --target: error: sglang 0.5.24 is not known"
            })
    void comparesWithAReleaseThatIsNotInstalled(String version, int code, String text) throws IOException {
        CommandRun run =
                validate(GUIDE, "+router_server_args.server.cuda_graph_max_bs=64", "--target=sglang==" + version);

        assertThat(run.code()).as(run.out()).isEqualTo(code);
        assertThat(run.out()).contains(text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "base_gpu_id=2 | error: router_server_args.server.base_gpu_id: engine 0 would use the accelerators 2 to 3",
                "base_gpu_id=-1 | error: router_server_args.server.base_gpu_id: engine 0 would use the accelerators -1 to 0",
                "gpu_id_step=2 | error: router_server_args.server.gpu_id_step: engine 0 would use the accelerators 0 to 2",
                "gpu_id_step=1 | valid: a launch could start"
            })
    void anEngineUsesItsOwnAcceleratorsOnly(String argument, String text) throws IOException {
        assertThat(validate(GUIDE, "+router_server_args.server." + argument).out())
                .contains(text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "smg | least_load | 0 | and smg 1.13.0 as bundled with sglang-ray",
                "smg | fastest | 2 | error: router_server_args.router.policy: cannot be the text",
                "sglang-router | least_load | 2 | error: router_server_args.router.policy: cannot be the text",
                "sglang-router | random | 0 | and sglang-router 0.3.2 as bundled with sglang-ray",
                "nginx | random | 2 | error: router_server_args.router_type: unknown router type 'nginx'"
            })
    void theRouterIsComparedWithTheArgumentsOfItsType(String type, String policy, int code, String text)
            throws IOException {
        CommandRun run = validate(
                GUIDE, "+router_server_args.router_type=" + type, "router_server_args.router.policy=" + policy);

        assertThat(run.code()).as(run.out()).isEqualTo(code);
        assertThat(run.out()).contains(text);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--target=smg==1.1.0 | router.cache_index: smg 1.1.0 has no argument 'cache_index': it comes with 1.",
                "--target=smg==1.13.0 | valid: a launch could start",
                "--target=smg==1.13.0 --target=sglang-router==0.3.2 | sglang-router 0.3.2 has no argument 'cache_index'",
                "--target=smg==9.9 | --target: error: smg 9.9 is not known"
            })
    void aReleaseOfSmgIsATargetToo(String targets, String text) throws IOException {
        List<String> words = new ArrayList<>(List.of("+router_server_args.router.cache_index=hash"));
        words.addAll(List.of(targets.split(" ", -1)));

        assertThat(validate(GUIDE, words.toArray(new String[0])).out()).contains(text);
    }

    @Test
    void aKeyThatAReleaseDoesNotHaveIsAnErrorThere() throws IOException {
        CommandRun run = validate(
                GUIDE,
                "+router_server_args.server.torchao_config=x",
                "+router_server_args.router.jwt_issuer=x",
                "--target=sglang==0.5.18",
                "--target=sglang-router==0.2.2");

        assertThat(run.code()).as(run.out()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out())
                .contains(
                        "server.torchao_config: sglang 0.5.18 has no argument 'torchao_config': it was dropped in 0.5.18")
                .contains("router.jwt_issuer: sglang-router 0.2.2 has no argument 'jwt_issuer': it comes with 0.3")
                .doesNotContain("--python PATH")
                .contains("compared with sglang 0.5.18 as released and sglang-router 0.2.2 as released");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--target=sglang | --target takes sglang==VERSION, sglang-router==VERSION or smg==VERSION, not 'sglang'",
                "--target=sglang== | not 'sglang=='",
                "--target=sglan==0.5.23 | not 'sglan==0.5.23'; did you mean 'sglang'?",
                "--target=sglang==0.5.23 --target=sglang==0.5.17 | --target is given twice for sglang"
            })
    void refusesTargetsThatNameNoRelease(String words, String message) throws IOException {
        CommandRun run = validate(GUIDE, words.split(" ", -1));

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains(message);
    }

    private static final String POOLS = GUIDE + """
              pools:
                - name: prefill
                  worker_type: prefill
                  engines: 1
                  tensor_parallel_size: 4
                - name: decode
                  worker_type: decode
                  server:
                    mem_fraction_static: 0.8
            """;

    @Test
    void poolsAreValid() throws IOException {
        CommandRun run = validate(POOLS);

        assertThat(run.code()).as(run.out()).isEqualTo(ExitCode.OK);
        assertThat(run.out())
                .contains("could start; compared with sglang 0.5.23 as bundled with sglang-ray and sglang-router")
                .doesNotContain("warning");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "router_server_args.pools.1.server.mem_fraction_static=much | pools[1].server.mem_fraction_static: must be",
                "+router_server_args.pools.1.server.mem_fractions=1 | pools[1].server.mem_fractions: sglang 0.5.23 has no argument",
                "+router_server_args.pools.1.server={tp_size: 1} | warning: router_server_args.pools[1].server.tp_size: each engine would use 1",
                "+router_server_args.pools.0.server={base_gpu_id: 2} | pools[0].server.base_gpu_id: engine 0 would use the accelerators 2 to 5",
                "+router_server_args.server.mem_fractions=1 | error: router_server_args.server.mem_fractions: sglang 0.5.23 has no",
                "router_server_args.server.tp_size=x | error: router_server_args.server.tp_size: must be",
                "router_server_args.pools.1.worker_type=decod | pools[1].worker_type: cannot be 'decod'",
                "+router_server_args.pools.1.component=decoders | pools[1].component: there is no component 'decoders'",
                "cluster.component_placement.rollout=0-3 | pool decode: asks for engines of 2 accelerator(s), and component 'rollout' has 0"
            })
    void whatIsWrongInAPoolIsReportedWhereItStands(String override, String message) throws IOException {
        assertThat(validate(POOLS, override.strip()).out()).contains(message);
    }

    @Test
    void refusesGroupsThatNoClusterCouldGive() throws IOException {
        CommandRun share = validate(GUIDE, "+router_server_args.placement_group.accelerator_share=0.5");
        assertThat(share.code()).as(share.out()).isEqualTo(ExitCode.USAGE);
        CommandRun others = validate(GUIDE, "+router_server_args.placement_group.name=training");
        assertThat(others.code()).as(others.out()).isEqualTo(ExitCode.OK);
    }

    @Test
    void tellsAllErrorsTogetherWithTheirPlaces() throws IOException {
        CommandRun run = validate(
                GUIDE.replace("tp_size:", "tp_sise:")
                                .replace("cache_aware", "cash_aware")
                                .replace("2\n", "two\n") + "again: 1\nagain: 2\nbroken: ${a.\n",
                "nothing=1",
                "list=1,2");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out())
                .contains("file.yaml:2:14: error: cluster.num_nodes: must be an integer")
                .contains("file.yaml:7:25: error: router_server_args.tensor_parallel_size: must be an integer")
                .contains("file.yaml:11:14: error: router_server_args.server.tp_sise: sglang 0.5.23 has no argument")
                .contains("fix: did you mean 'tp_size'? when the version in use has it, name its Python: --python PATH")
                .contains("file.yaml:14:13: error: router_server_args.router.policy: cannot be the text 'cash_aware'")
                .contains("file.yaml:16:1: error: duplicate key 'again'")
                .contains("file.yaml:17:9: error: broken: not a valid interpolation")
                .contains("error: nothing: does not exist")
                .contains("error: list: stands for several values")
                .contains("8 errors");
    }

    @Test
    void dataParallelRanksHaveAcceleratorsOfTheirOwn() throws IOException {
        String two = GUIDE.replace("tp_size: ${..tensor_parallel_size}", "{tp_size: 1, dp_size: 2}")
                .replace("tensor_parallel_size: 2", "tensor_parallel_size: 1")
                .replace("{tp_size: 1, dp_size: 2}", "tp_size: 1\n    dp_size: 2");

        assertThat(validate(two).out())
                .contains("warning: router_server_args.server.tp_size: each engine would use 2 accelerators"
                        + " (tp_size x pp_size x dp_size), but 1 are set aside for it")
                .contains("fix: set tensor_parallel_size to 2");
        assertThat(validate(two, "router_server_args.tensor_parallel_size=2").out())
                .doesNotContain("warning");
        assertThat(validate(two, "+router_server_args.server.enable_dp_attention=true")
                        .out())
                .doesNotContain("warning");
    }

    @Test
    void tellsTheInterpolationsAndDefaultsListsThatLedThere() throws IOException {
        Files.createDirectories(folder.resolve("fleet"));
        Files.writeString(folder.resolve("fleet/big.yaml"), """
                model_path: /m
                tensor_parallel_size: 2
                pipeline_parallel_size: 1
                memory: ${.share}
                share: most
                server:
                  model_path: ${..model_path}
                  mem_fraction_static: ${..memory}
                  tp_size: 2
                router: {}
                """);
        Files.writeString(folder.resolve("serve.yaml"), """
                defaults:
                  - fleet@router_server_args: big
                cluster:
                  num_nodes: 1
                  component_placement: {rollout: all}
                """);

        JsonNode report = json("--config-path", folder.toString(), "--config-name", "serve", "--json");

        assertThat(report.path("valid").asBoolean()).isFalse();
        assertThat(report.path("problems")).hasSize(1);
        JsonNode problem = report.path("problems").get(0);
        assertThat(problem.path("file").asText()).endsWith("fleet/big.yaml");
        assertThat(problem.path("line").asInt()).isEqualTo(8);
        assertThat(problem.path("column").asInt()).isEqualTo(24);
        assertThat(problem.path("key").asText()).isEqualTo("router_server_args.server.mem_fraction_static");
        List<String> trail = new ArrayList<>();
        problem.path("trail").forEach(step -> trail.add(step.asText()));
        assertThat(trail).hasSize(3);
        assertThat(trail.get(0)).startsWith("'router_server_args.memory' at").endsWith("big.yaml:4:9");
        assertThat(trail.get(1)).startsWith("'router_server_args.share' at").endsWith("big.yaml:5:8");
        assertThat(trail.get(2)).contains("the defaults list at", "serve.yaml:2:31", "'fleet/big'");
    }

    @Test
    void oneMoreFolderIsLookedInLast() throws IOException {
        Path main = Files.createDirectories(folder.resolve("main"));
        Path more = folder.resolve("more");
        Path fleet = Files.createDirectories(more.resolve("fleet"));
        Files.writeString(main.resolve("serve.yaml"), """
                defaults: [fleet@router_server_args: small]
                cluster:
                  num_nodes: 1
                  component_placement: {rollout: all}
                """);
        Files.writeString(fleet.resolve("small.yaml"), """
                model_path: /m
                tensor_parallel_size: 1
                pipeline_parallel_size: 1
                server: {model_path: /m}
                router: {}
                """);
        String[] words = {"validate", "--config-path", main.toString(), "--config-name", "serve"};

        assertThat(CommandRun.of(words).code()).isEqualTo(ExitCode.USAGE);
        String[] withMore = Arrays.copyOf(words, words.length + 2);
        withMore[words.length] = "--config-dir";
        withMore[words.length + 1] = more.toString();
        CommandRun run = CommandRun.of(withMore);
        assertThat(run.code()).as(run.out() + run.err()).isEqualTo(ExitCode.OK);
    }

    @Test
    void embodiedEnginesHaveArgumentsOfTheirOwn() throws IOException {
        CommandRun good = validate(
                GUIDE.replace("log_level: warning", "num_gpus: 2"), "+router_server_args.server_type=embodied");
        assertThat(good.code()).as(good.out()).isEqualTo(ExitCode.OK);

        CommandRun slip =
                validate(GUIDE.replace("log_level: warning", "num_gpu: 2"), "+router_server_args.server_type=embodied");
        assertThat(slip.code()).isEqualTo(ExitCode.USAGE);
        assertThat(slip.out()).contains("router_server_args.server.num_gpu", "did you mean 'num_gpus'?");
    }

    @Test
    void aBlockFromElsewhereIsFollowed() throws IOException {
        CommandRun run = validate(
                GUIDE.replace("router:\n    policy: cache_aware", "router: ${shared}") + "shared:\n  polizy: random\n");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out())
                .contains("file.yaml:15:11: error: shared.polizy: sglang-router 0.3.2 has no argument 'polizy'")
                .contains("from: 'router_server_args.router' at");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cluster.component_placement.rollout='0-'|rollout|not a",
                "cluster.component_placement.rollout='0,2'|rollout>:1|contiguous",
                "cluster.component_placement.rollout='3-1'|rollout|runs backwards",
                "+cluster.node_groups=[{label: a, node_ranks: 5}]|cluster|5",
                "cluster.component_placement.rollout={placement: all, node_group: x}|allowed: cluster, node|label",
            })
    void refusesPlacementsThatFitNoCluster(String override, String word, String other) throws IOException {
        CommandRun run = validate(GUIDE, override);

        assertThat(run.code()).as(run.out()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out())
                .contains("fits no cluster of 2 nodes", word, other)
                .doesNotContain("node-0");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cluster.component_placement.rollout='0-15'",
                "cluster.component_placement.rollout='0-1'",
                "router_server_args.tensor_parallel_size=3",
                "+router_server_args.launch_server=false",
            })
    void leavesToThePlanWhatDependsOnTheCluster(String override) throws IOException {
        CommandRun run = validate(GUIDE, override);

        assertThat(run.code()).as(run.out()).isEqualTo(ExitCode.OK);
    }

    /** Only real nodes have what these selectors look for. */
    @ParameterizedTest
    @ValueSource(strings = {"ray_resource: NPU", "ray_labels: gpu"})
    void leavesGroupsThatNodesChooseToThePlan(String selector) throws IOException {
        CommandRun run = validate(
                GUIDE,
                "+cluster.node_groups=[{label: some, node_ranks: {" + selector + "}}]",
                "cluster.component_placement.rollout={node_group: some, placement: all}");

        assertThat(run.code()).as(run.out()).isEqualTo(ExitCode.OK);
    }

    @Test
    void warningsDoNotFail() throws IOException {
        CommandRun run = validate(GUIDE, "+router_server_args.server.port=1");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("warning: router_server_args.server.port: has no effect", "1 warning");
    }

    @Test
    void warnsOfSizesThatDiffer() throws IOException {
        CommandRun run = validate(GUIDE, "router_server_args.server.tp_size=4");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("warning: router_server_args.server.tp_size: each engine would use 4");
    }

    @Test
    void doesNotReadWhatIsSwitchedOffOrNotTheFleets() throws IOException {
        CommandRun run = validate(
                GUIDE.replace("policy: cache_aware", "policy: ${gone}") + "other: ${gone}\n",
                "+router_server_args.launch_router=false");

        assertThat(run.code()).as(run.out()).isEqualTo(ExitCode.OK);
    }

    @Test
    void anEmbodiedEngineTakesItsPipelineAsAMapOrAPath() throws IOException {
        String embodied = """
                cluster: {num_nodes: 1, component_placement: {rollout: all}}
                rollout:
                  sglang:
                    tensor_parallel_size: 1
                    pipeline_parallel_size: 1
                    launch_router: false
                    server_type: embodied
                    server:
                      model_path: /models/world-model
                      num_gpus: 1
                      pipeline_config: PIPELINE
                """;
        for (String pipeline : List.of("{cfg_scale: 5.0, steps: 16}", "/models/pipeline.json", "null")) {
            CommandRun run = validate(embodied.replace("PIPELINE", pipeline), "--args-key", "rollout.sglang");
            assertThat(run.code()).as(run.out()).isEqualTo(ExitCode.OK);
        }
        CommandRun wrong = validate(embodied.replace("PIPELINE", "[1]"), "--args-key", "rollout.sglang");
        assertThat(wrong.out()).contains("rollout.sglang.server.pipeline_config: must be a map or a text");
    }

    @Test
    void whatCannotWorkInAFleetIsRefusedWithTheReason() throws IOException {
        CommandRun run = validate(
                GUIDE,
                "+router_server_args.server.ssl_certfile=/c.pem",
                "+router_server_args.server.node_rank=1",
                "+router_server_args.router.server_cert_path=/c.pem");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out())
                .contains(
                        "router_server_args.server.ssl_certfile: cannot work in a fleet: it makes the engine serve HTTPS")
                .contains("router_server_args.server.node_rank: cannot work in a fleet")
                .contains("router_server_args.router.server_cert_path: cannot work in a fleet")
                .contains("3 errors");
    }

    @Test
    void showsNoSecretsWhereverTheyWerePut() throws IOException {
        String file = folder.resolve("file.yaml").toString();
        Files.writeString(folder.resolve("file.yaml"), GUIDE + "extra: 1\n");
        Map<String, String> environment = Map.of("MY_SECRET", "s3cr3t-word");
        for (String override : List.of(
                "router_server_args.server={api_key: s3cr3t-word, x: [}",
                "router_server_args.server.api_key.x=s3cr3t-word",
                "++extra={api_key: s3cr3t-word, y: ${nope}}",
                "+extra={token: s3cr3t-word}",
                "router_server_args.tensor_parallel_size=${oc.env:MY_SECRET}",
                "cluster.num_nodes=${oc.env:MY_SECRET}",
                "cluster.component_placement.rollout=${oc.env:MY_SECRET}",
                "cluster.component_placement.rollout=x-${oc.env:MY_SECRET}",
                "+router_server_args.group_name=a:${oc.env:MY_SECRET}",
                "+router_server_args.server_type=${oc.env:MY_SECRET}",
                "router_server_args.router.policy=${oc.env:MY_SECRET}",
                "+router_server_args.server.tp_sise=redis://u:s3cr3t-word@h:1",
                "router_server_args.server.log_level={hf_token: s3cr3t-word}",
                "router_server_args.server.tp_size='{\"hf_token\": \"s3cr3t-word\"}'")) {
            for (List<String> words : List.of(
                    List.of("validate", "-c", file, override),
                    List.of("validate", "--json", "-c", file, override),
                    List.of("up", "--local", "-c", file, override),
                    List.of("config", "show", "-c", file, override))) {
                CommandRun run = CommandRun.of(environment, words.toArray(String[]::new));
                assertThat(run.out() + run.err()).as(words.toString()).doesNotContain("s3cr3t-word");
            }
        }
        Files.writeString(folder.resolve("file.yaml"), GUIDE + "api_key: !!int s3cr3t-word\n");
        CommandRun tagged = CommandRun.of(environment, "validate", "-c", file);
        assertThat(tagged.code()).isEqualTo(ExitCode.USAGE);
        assertThat(tagged.out()).doesNotContain("s3cr3t-word");
    }

    @Test
    void controlCharactersOfValuesDoNotReachTheTerminal() throws IOException {
        CommandRun run = validate(GUIDE, "cluster.num_nodes=\"\u001b[31mred\"", "+x=\u009b");

        assertThat(run.out() + run.err()).contains("\\u001b[31mred").doesNotContain("\u001b", "\u009b");
    }

    @Test
    void showsNoSecrets() throws IOException {
        CommandRun run = validate(GUIDE, "+router_server_args.server.api_key=[s3cr3t]");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out() + run.err()).contains("api_key").doesNotContain("s3cr3t");
    }

    @Test
    void aFileThatIsNotThereIsAProblemToo() throws IOException {
        JsonNode report = json("-c", folder.resolve("none.yaml").toString(), "--json");

        assertThat(report.path("errors").asInt()).isEqualTo(1);
        assertThat(report.path("problems").get(0).path("message").asText()).isEqualTo("there is no such file");
    }

    @Test
    void aPythonThatIsNamedMustAnswer() throws IOException {
        Path file = Files.writeString(folder.resolve("file.yaml"), GUIDE);

        CommandRun run = CommandRun.of("validate", "-c", file.toString(), "--python", "/no/such/python");

        assertThat(run.code()).isEqualTo(ExitCode.ENVIRONMENT);
        assertThat(run.err()).contains("/no/such/python");
    }

    @Test
    void needsAConfiguration() {
        CommandRun run = CommandRun.of("validate");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("--config FILE");
    }

    private CommandRun validate(String yaml, String... overrides) throws IOException {
        Path file = Files.writeString(folder.resolve("file.yaml"), yaml);
        List<String> words = new ArrayList<>(List.of("validate", "-c", file.toString()));
        words.addAll(Arrays.asList(overrides));
        return CommandRun.of(words.toArray(String[]::new));
    }

    private static JsonNode json(String... options) throws IOException {
        List<String> words = new ArrayList<>(List.of("validate"));
        words.addAll(Arrays.asList(options));
        CommandRun run = CommandRun.of(words.toArray(String[]::new));
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out().strip().lines()).hasSize(1);
        return new ObjectMapper().readTree(run.out());
    }
}
