/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.FleetSelection;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.cli.context.ComposeOptions;
import dev.sglangray.app.cli.context.Launcher;
import dev.sglangray.app.cli.context.UpOptions;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.workers.node.SealedSecrets;
import dev.sglangray.workers.supervision.SupervisionPolicyReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

final class LaunchRequestTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Launcher LAUNCHER = new Launcher(null, "/own/python", null);

    /** Each with a value that is not its default, and where the owner finds it. */
    private static final Map<String, List<String>> OPTIONS = new TreeMap<>(Map.of(
            "--component", List.of("engines", "/selection/componentName", "\"engines\""),
            "--args-key", List.of("some.block", "/selection/argsKey", "\"some.block\""),
            "--explicit-placement", List.of("", "/selection/explicitPlacement", "true"),
            "--router-node-rank", List.of("3", "/options/routerNodeRank", "3"),
            "--python", List.of("/other/python", "/options/pythonInterpreter", "\"/other/python\""),
            "--reserve-timeout", List.of("77", "/options/reserveSeconds", "77.0"),
            "--health-timeout", List.of("88", "/options/healthSeconds", "88.0")));

    @Test
    void everyOptionOfTheCommandLineReachesTheOwner() throws JsonProcessingException {
        Set<String> composing = names(new ComposeOptions());
        assertThat(names(new UpOptions()).stream().filter(name -> !composing.contains(name)))
                .containsExactlyInAnyOrderElementsOf(OPTIONS.keySet());

        List<String> words = new ArrayList<>();
        OPTIONS.forEach((name, values) -> {
            words.add(name);
            values.stream().limit(1).filter(value -> !value.isEmpty()).forEach(words::add);
        });
        String owners = JSON.writeValueAsString(JSON.readValue(request(words), LaunchRequest.class));
        String usual = request(List.of());
        for (Map.Entry<String, List<String>> option : OPTIONS.entrySet()) {
            String pointer = option.getValue().get(1);
            assertThat(JSON.readTree(owners).at(pointer))
                    .as(option.getKey())
                    .hasToString(option.getValue().get(2));
            assertThat(JSON.readTree(usual).at(pointer))
                    .as(option.getKey())
                    .isNotEqualTo(JSON.readTree(owners).at(pointer));
        }
    }

    /** Values of the block refer to those of a pool, and some have no value without one. */
    private static final String POOLS = """
            cluster: {num_nodes: 1, component_placement: {rollout: 0-7}}
            names: {judge: /models/judge}
            some:
              block:
                model_path: /models/actor
                pipeline_parallel_size: 1
                server:
                  model_path: ${..model_path}
                  tp_size: ${..tensor_parallel_size}
                  log_level: ${names.judge}
                  dp_size: ???
                  api_key: sesame
                router: {policy: random, log_level: "${..server.log_level}"}
                supervision: {max_restarts: 7, restart_window_s: 99}
                external_engines: [{url: "http://other:1", model: "${names.judge}"}]
                pools:
                  - {name: actor, engines: 1, tensor_parallel_size: 2, server: {dp_size: 1}}
                  - name: judge
                    engines: 1
                    model_path: ${names.judge}
                    tensor_parallel_size: 4
                    env_vars: {MODEL: "${..model_path}"}
                    server: {dp_size: 1, served_model_name: judge}
                    supervision: {max_restarts: 1}
            """;

    @Test
    void theOwnerHasThePoolsOfTheConfiguration() throws JsonProcessingException {
        FleetSelection selection = new FleetSelection(null, "some.block", false);
        FleetSpec spec = FleetSpec.of(Config.parse(POOLS), selection);
        String json = JSON.writeValueAsString(new LaunchRequest(
                DetachedFleets.configuration(spec),
                DetachedFleets.origins(spec),
                spec.selection(),
                LaunchOptions.DEFAULT));
        SealedSecrets.Key key = SealedSecrets.Key.random();
        String sealed = key.seal(json);
        assertThat(sealed).doesNotContain("sesame");
        assertThat(JSON.readValue(sealed, LaunchRequest.class).origins())
                .extracting(LaunchRequest.Origin::path)
                .contains("some.block.server.api_key");
        LaunchRequest request = JSON.readValue(json, LaunchRequest.class);
        FleetSpec owners = request.spec();

        assertThat(facts(owners)).isEqualTo(facts(spec));
        assertThat(owners.block().require("supervision.max_restarts").position())
                .as("it says where values were written")
                .isEqualTo(spec.block().require("supervision.max_restarts").position())
                .isNotEqualTo(SourcePosition.PROGRAM);
        assertThat(spec.pools().get(1).arguments().server().values())
                .containsEntry("model_path", "/models/judge")
                .containsEntry("tp_size", 4);
    }

    private static List<Object> facts(FleetSpec spec) {
        List<Object> facts = new ArrayList<>();
        for (EnginePool pool : spec.pools()) {
            facts.add(List.of(
                    pool.name(),
                    pool.engines(),
                    pool.environment(),
                    pool.updateWeights(),
                    pool.model(),
                    pool.arguments().acceleratorsPerEngine(),
                    pool.arguments().server().values(),
                    SupervisionPolicyReader.read(pool)));
        }
        facts.add(spec.models().routerArguments(spec.arguments()));
        facts.add(spec.models().externalEngines().toString());
        facts.add(spec.supervision());
        return facts;
    }

    private static String request(List<String> words) throws JsonProcessingException {
        UpOptions up = new UpOptions();
        new CommandLine(up).parseArgs(words.toArray(String[]::new));
        return JSON.writeValueAsString(
                new LaunchRequest(Map.of(), List.of(), up.selection(), up.launchOptions(LAUNCHER)));
    }

    private static Set<String> names(Object options) {
        return new CommandLine(options)
                .getCommandSpec().options().stream()
                        .map(OptionSpec::longestName)
                        .collect(Collectors.toSet());
    }
}
