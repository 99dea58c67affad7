/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class EnginePoolTest {
    private static final String BLOCK = """
            cluster: {num_nodes: 1, component_placement: {rollout: all, "decoders, other": 0}}
            names: {model: /m}
            router_server_args:
              model_path: ${names.model}
              tensor_parallel_size: 1
              pipeline_parallel_size: 1
              server:
                model_path: ${..model_path}
                tp_size: ${..tensor_parallel_size}
                log_level: info
              router: {policy: random}
              pools:
            """;
    private static final String PREFILL_AND_DECODE = """
                - name: prefill
                  worker_type: prefill
                  engines: 1
                  tensor_parallel_size: 4
                  env_vars: {NCCL_DEBUG: INFO, N: 1}
                - name: decode
                  worker_type: decode
                  component: decoders
                  tensor_parallel_size: 2
                  server: {log_level: debug, mem_fraction_static: 0.8}
            """;

    private static List<EnginePool> read(String yaml) {
        Config root = Config.parse(yaml);
        Config block = root.require("router_server_args");
        return EnginePool.of(root, block, LauncherArgs.from(block));
    }

    private static List<ConfigProblem> problems(String yaml) {
        ConfigException refusal = catchThrowableOfType(ConfigException.class, () -> read(yaml));
        assertThat(refusal).as("a refusal of " + yaml).isNotNull();
        return refusal.problems();
    }

    @Test
    void aPoolIsTheBlockWithWhatItSaysLaidOverIt() {
        List<EnginePool> pools = read(BLOCK + PREFILL_AND_DECODE);

        assertThat(pools).extracting(EnginePool::name).containsExactly("prefill", "decode");
        EnginePool prefill = pools.get(0);
        assertThat(prefill.engines()).hasValue(1);
        assertThat(prefill.component()).isEmpty();
        assertThat(prefill.environment()).isEqualTo(Map.of("NCCL_DEBUG", "INFO", "N", "1"));
        assertThat(prefill.workerType()).isEqualTo(WorkerType.PREFILL);
        assertThat(prefill.arguments().acceleratorsPerEngine()).hasValue(4);
        assertThat(prefill.arguments().server().values())
                .isEqualTo(Map.of(
                        "model_path", "/m", "tp_size", 4, "log_level", "info", "disaggregation_mode", "prefill"));
        EnginePool decode = pools.get(1);
        assertThat(decode.engines()).isEmpty();
        assertThat(decode.component()).hasValue("decoders");
        assertThat(decode.arguments().server().values())
                .containsEntry("tp_size", 2)
                .containsEntry("log_level", "debug")
                .containsEntry("mem_fraction_static", 0.8)
                .containsEntry("disaggregation_mode", "decode");
    }

    @Test
    void withoutPoolsThereIsOneWithoutAName() {
        for (String none : List.of("", "null", "[]")) {
            assertThat(read(BLOCK.stripTrailing() + " " + none)).singleElement().satisfies(pool -> {
                assertThat(pool.name()).isEmpty();
                assertThat(pool.settings()).isNull();
                assertThat(pool.arguments().server().values()).containsEntry("tp_size", 1);
            });
        }
        assertThat(read("router_server_args: {launch_server: false, router: {}, pools: 3}"))
                .isEmpty();
    }

    @Test
    void theBlockMayLeaveToPoolsWhatEachOfThemSays() {
        List<EnginePool> pools = read("""
                router_server_args:
                  server: {tp_size: "${..tensor_parallel_size}", model_path: "${..model_path}", dp_size: "???"}
                  router: {}
                  pools:
                    - &one {name: a, model_path: /m, tensor_parallel_size: 2, pipeline_parallel_size: 1, server: {dp_size: 1}}
                    - {<<: *one, name: b, server: {dp_size: 2}}
                """);

        assertThat(pools)
                .extracting(pool -> pool.arguments().server().values())
                .containsExactly(
                        Map.of("tp_size", 2, "model_path", "/m", "dp_size", 1),
                        Map.of("tp_size", 2, "model_path", "/m", "dp_size", 2));
    }

    @Test
    void theBlockAndItsServerMayBeInterpolations() {
        List<EnginePool> pools = read(
                """
                common: {model_path: /m, log_level: info}
                blocks: [{tensor_parallel_size: 1, pipeline_parallel_size: 1, server: "${common}", router: {}}]
                router_server_args: ${blocks[0]}
                """.replace("router: {}", "router: {}, pools: [{name: a, server: {log_level: debug}}, {name: b}]"));

        assertThat(pools)
                .extracting(pool -> pool.arguments().server().values().get("log_level"))
                .containsExactly("debug", "info");
    }

    @Test
    void whatIsWrongInTheBlockIsSaidOnceWithItsOwnKey() {
        assertThat(problems(BLOCK.replace("tp_size: ${..tensor", "tp_size: ${..tensr") + PREFILL_AND_DECODE))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.key()).isEqualTo("router_server_args.server.tp_size");
                    assertThat(problem.position().line()).isEqualTo(9);
                });
    }

    static Stream<Arguments> wrong() {
        return Stream.of(
                Arguments.of("- 3", "pools[0]", 13, "must be a map with name"),
                Arguments.of("- {engines: 1}", "pools[0].name", 13, "is required"),
                Arguments.of("- {name: Large}", "pools[0].name", 13, "letters a to z"),
                Arguments.of("- {name: a}\n    - {name: a}", "pools[1].name", 14, "there are two pools 'a'"),
                Arguments.of("- {name: a, engine: 1}", "pools[0].engine", 13, "unknown key 'engine'"),
                Arguments.of("- {name: a, engines: 0}", "pools[0].engines", 13, "must be at least 1, not 0"),
                Arguments.of("- {name: a, worker_type: prefil}", "pools[0].worker_type", 13, "cannot be 'prefil'"),
                Arguments.of("- {name: a, component: decoder}", "pools[0].component", 13, "no component 'decoder'"),
                Arguments.of("- {name: a, env_vars: [X]}", "pools[0].env_vars", 13, "must be a map of variables"),
                Arguments.of("- {name: a, env_vars: {X: {}}}", "pools[0].env_vars.X", 13, "must be a single value"),
                Arguments.of("- {name: a, server: 3}", "pools[0].server", 13, "must be a map"),
                Arguments.of("- {name: a, server: [3]}", "pools[0].server", 13, "cannot merge a list into a map"),
                Arguments.of(
                        "- {name: a}\n    - {name: b, server: {x: \"${nothing}\"}}",
                        "pools[1].server.x",
                        14,
                        "cannot resolve"),
                Arguments.of(
                        "- {name: a}\n    - {name: b, tensor_parallel_size: 0}",
                        "pools[1].tensor_parallel_size",
                        14,
                        "must be at least 1, not 0"),
                Arguments.of(
                        "- {name: a}\n    - {name: b, server: {nnodes: 2}}",
                        "pools[1].server.nnodes",
                        14,
                        "no equal parts on 2 nodes"),
                Arguments.of(
                        "- {name: a, worker_type: prefill}",
                        "pools[0].worker_type",
                        13,
                        "there are prefill engines and no decode engines"),
                Arguments.of(
                        "- {name: a, server: {disaggregation_mode: decode}}",
                        "pools[0]",
                        13,
                        "there are decode engines and no prefill engines"),
                Arguments.of(
                        "- {name: a, worker_type: prefill}\n    - {name: b, worker_type: decode}\n    - {name: c}",
                        "pools[2].name",
                        15,
                        "sends nothing to regular ones"),
                Arguments.of(
                        "- {name: a, worker_type: prefill, server: {disaggregation_mode: decode}}",
                        "pools[0].worker_type",
                        13,
                        "is prefill, but disaggregation_mode is 'decode'"),
                Arguments.of(
                        "- {name: a, worker_type: prefill}\n"
                                + "    - {name: b, worker_type: decode, server: {disaggregation_transfer_backend: nixl}}",
                        "pools[1].server.disaggregation_transfer_backend",
                        14,
                        "move their caches by mooncake and by nixl"),
                Arguments.of(
                        "- {name: a}\n    - {name: b, model_path: /n, server: {served_model_name: /m}}",
                        "pools[1].model_path",
                        14,
                        "pools 'a' and 'b' serve different models under one name, '/m'"),
                Arguments.of(
                        "- {name: a}\n    - {name: b, update_weights: false}",
                        "pools[1].update_weights",
                        14,
                        "pools 'a' and 'b' serve one model, and would have different weights after an update"),
                Arguments.of(
                        "- {name: a}\n    - {name: b, model_path: /n, update_weights: true}",
                        "pools[1].update_weights",
                        14,
                        "an update has the weights of one model, and pools 'a' and 'b' serve different ones"),
                Arguments.of(
                        "- {name: a, update_weights: maybe}", "pools[0].update_weights", 13, "must be true or false"),
                Arguments.of(
                        "- {name: a}\n    - {name: b, model_path: /n, worker_type: prefill}",
                        "pools[1].worker_type",
                        14,
                        "there are prefill engines of model '/n' and no decode engines"));
    }

    @ParameterizedTest
    @MethodSource("wrong")
    void whatIsWrongInAPoolIsReportedThere(String items, String key, int line, String message) {
        assertThat(problems(BLOCK + "    " + items)).singleElement().satisfies(problem -> {
            assertThat(problem.key()).isEqualTo("router_server_args." + key);
            assertThat(problem.position().line()).isEqualTo(line);
            assertThat(problem.message()).contains(message);
        });
    }

    @Test
    void whatNeitherBlockNorPoolSaysIsMissingInThePool() {
        String block =
                BLOCK.replace("  tensor_parallel_size: 1\n", "").replace("    model_path: ${..model_path}\n", "");
        String full = "- {name: a, tensor_parallel_size: 1, server: {model_path: /m}}";

        assertThat(problems(block + "    " + full + "\n    - {name: b}"))
                .extracting(ConfigProblem::key, problem -> problem.position().line())
                .containsExactlyInAnyOrder(
                        tuple("router_server_args.server.tp_size", 7),
                        tuple("router_server_args.pools[1].server.model_path", 12),
                        tuple("router_server_args.pools[1].tensor_parallel_size", 12));
    }

    @Test
    void aSwitchedOffPdModeIsRefused() {
        assertThat(problems(BLOCK.replace("policy: random", "pd_disaggregation: false") + PREFILL_AND_DECODE))
                .singleElement()
                .satisfies(problem -> assertThat(problem.render())
                        .contains("router_server_args.router.pd_disaggregation: is off", "it follows from the pools"));
    }

    @Test
    void aRouterServesSeveralModelsEachInItsOwnWay() {
        String yaml = BLOCK + """
                    - {name: actor}
                    - {name: judge, model_path: /judges/large, server: {served_model_name: judge}}
                    - {name: judge-in, worker_type: prefill, model_path: /n}
                    - {name: judge-out, worker_type: decode, model_path: /n}
                """;
        List<EnginePool> pools = read(yaml);

        assertThat(pools).extracting(EnginePool::model).containsExactly("/m", "judge", "/n", "/n");
        assertThat(pools).extracting(EnginePool::updateWeights).containsExactly(true, false, false, false);
        assertThat(models(yaml).names()).containsExactly("/m", "judge", "/n");
        assertThat(routerArguments(yaml)).isEqualTo(Map.of("policy", "random", "enable_igw", true));
        assertThat(routerArguments(BLOCK + PREFILL_AND_DECODE))
                .isEqualTo(Map.of("policy", "random", "pd_disaggregation", true));
        assertThat(routerArguments(BLOCK + "    - {name: a}")).isEqualTo(Map.of("policy", "random"));
    }

    @Test
    void twoNamesOfOneCheckpointAreUpdatedTogether() {
        assertThat(read(BLOCK
                        + "    - {name: a, server: {served_model_name: large}}\n"
                        + "    - {name: b, server: {served_model_name: small}}"))
                .extracting(EnginePool::updateWeights)
                .containsOnly(true);
    }

    @Test
    void withoutARouterAnUpdateHasTheWeightsOfOneModelToo() {
        assertThat(problems(BLOCK.replace("router: {policy: random}", "launch_router: false")
                        + "    - {name: a}\n    - {name: b, model_path: /n, update_weights: true}"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("an update has the weights of one model"));
    }

    @Test
    void theGatewayModeServesPrefillAndDecodeByItself() {
        assertThat(routerArguments(BLOCK.replace("policy: random", "enable_igw: true") + PREFILL_AND_DECODE))
                .isEqualTo(Map.of("enable_igw", true));
    }

    @Test
    void theMiniLoadBalancerServesOneModel() {
        assertThat(problems(BLOCK.replace("policy: random", "mini_lb: true")
                        + "    - {name: a}\n    - {name: b, model_path: /n}"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.key()).isEqualTo("router_server_args.router.mini_lb"));
    }

    @Test
    void anUpdateHasTheWeightsOfTheOnlyModelOrOfNone() {
        String own = "    - {name: a, server: {model_path: /n}}\n    - {name: b, server: {model_path: /n}}";

        assertThat(read(BLOCK + own)).extracting(EnginePool::updateWeights).containsOnly(true);
        assertThat(read(BLOCK + "    - {name: a, update_weights: false}"))
                .extracting(EnginePool::updateWeights)
                .containsOnly(false);
        assertThat(read(BLOCK.replace("    model_path: ${..model_path}\n", "")
                                .replace("  model_path: ${names.model}\n", "")
                        + "    - {name: a, server: {model_path: /n}}\n    - {name: b, server: {model_path: /o}}"))
                .extracting(EnginePool::updateWeights)
                .containsOnly(false);
    }

    @Test
    void aSwitchedOffGatewayModeIsRefused() {
        assertThat(problems(BLOCK.replace("policy: random", "enable_igw: false")
                        + "    - {name: a}\n    - {name: b, model_path: /n}"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.render())
                        .contains("router_server_args.router.enable_igw: is off", "there are several models"));
    }

    private static final String EXTERNAL = BLOCK.replace("  pools:\n", """
              external_engines:
                - {url: "http://10.0.0.7:30000", api_key: k, weight_version: 3}
                - {url: "http://10.0.0.8:30000", model: /judge, bootstrap_port: 9, worker_type: prefill}
                - {url: "http://10.0.0.9:30000", model: /judge, worker_type: decode}
            """);

    @Test
    void externalEnginesServeTheFleetsModelOrAnother() {
        Config root = Config.parse(EXTERNAL);
        Config block = root.require("router_server_args");
        LauncherArgs arguments = LauncherArgs.from(block);
        FleetModels models = FleetModels.of(arguments, EnginePool.of(root, block, arguments));

        assertThat(models.names()).containsExactly("/m", "/judge");
        assertThat(models.externalEngines())
                .extracting(
                        engine -> engine.model().orElseThrow(),
                        ExternalEngine::workerType,
                        ExternalEngine::weightVersion)
                .containsExactly(
                        tuple("/m", WorkerType.REGULAR, "3"),
                        tuple("/judge", WorkerType.PREFILL, null),
                        tuple("/judge", WorkerType.DECODE, null));
        assertThat(models.updates("/m")).isTrue();
        assertThat(models.updates("/judge")).isFalse();
        assertThat(models.externalEngines().toString()).doesNotContain("k,");
    }

    static Stream<Arguments> wrongExternals() {
        String first = "    - {url: \"http://10.0.0.7:30000\"";
        return Stream.of(
                Arguments.of("    - 3", "external_engines[0]", "must be a map with url"),
                Arguments.of("    - {model: m}", "external_engines[0].url", "is required"),
                Arguments.of("    - {url: 10.0.0.7}", "external_engines[0].url", "must be the base URL"),
                Arguments.of("    - {url: \"http://a/v1\"}", "external_engines[0].url", "must be the base URL"),
                Arguments.of(first + ", modell: m}", "external_engines[0].modell", "unknown key 'modell'"),
                Arguments.of(first + ", worker_type: prefill}", "external_engines[0]", "needs its bootstrap_port"),
                Arguments.of(first + ", weight_version: 1.50}", "external_engines[0].weight_version", "must be a text"),
                Arguments.of(
                        "    - {url: \"http://u:p/hunter2@h:1\"}", "external_engines[0].url", "http://<hidden>@h:1"),
                Arguments.of(first + ", bootstrap_port: 0}", "external_engines[0].bootstrap_port", "a port from 1"),
                Arguments.of(
                        first + ", worker_type: decode}",
                        "external_engines[0].worker_type",
                        "there are decode engines and no prefill engines"));
    }

    @ParameterizedTest
    @MethodSource("wrongExternals")
    void whatIsWrongInAnExternalEngineIsReportedThere(String item, String key, String message) {
        String yaml = BLOCK.replace("  pools:\n", "  external_engines:\n") + item;

        assertThat(problems(yaml)).singleElement().satisfies(problem -> {
            assertThat(problem.key()).isEqualTo("router_server_args." + key);
            assertThat(problem.message()).contains(message);
        });
    }

    @Test
    void anExternalEngineOfAFleetWithoutEnginesSaysItsModel() {
        String yaml =
                "router_server_args: {launch_server: false, router: {}, external_engines: [{url: \"http://a:1\"%s}]}";

        assertThat(problems(yaml.formatted("")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("no engines of its own"));
        assertThat(read(yaml.formatted(", model: m"))).isEmpty();
        assertThat(problems(yaml.formatted(", model: m").replace("router: {}", "launch_router: false")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("launch_router is off"));
    }

    private static FleetModels models(String yaml) {
        LauncherArgs arguments = LauncherArgs.from(Config.parse(yaml).require("router_server_args"));
        return FleetModels.of(arguments, read(yaml));
    }

    private static Map<String, Object> routerArguments(String yaml) {
        return models(yaml).routerArguments(LauncherArgs.from(Config.parse(yaml).require("router_server_args")));
    }

    @Test
    void withoutARouterModelsMayDiffer() {
        assertThat(read(BLOCK.replace("router: {policy: random}", "launch_router: false")
                        + "    - {name: a}\n    - {name: b, model_path: /n}"))
                .hasSize(2);
    }
}
