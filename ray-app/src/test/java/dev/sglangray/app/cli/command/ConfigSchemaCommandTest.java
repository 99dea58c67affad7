/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import dev.sglangray.app.cli.CommandRun;
import dev.sglangray.app.cli.context.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The JSON Schema that lies beside the example configurations. */
class ConfigSchemaCommandTest {
    private static final Path KEPT = Path.of("conf/sglang-ray.schema.json");
    private static final String GUIDE = """
            cluster:
              num_nodes: 2
              component_placement:
                rollout: {node_group: a, placement: 0-3}
              node_groups:
                - label: a
                  node_ranks: 0-1
                  env_configs:
                    - node_ranks: 0
                      env_vars: [{A: 1}]
            my_engines:
              tensor_parallel_size: 2
              pipeline_parallel_size: ${x}
              launch_server: True
              server:
                model_path: ???
                tp_size: ${..tensor_parallel_size}
                mem_fraction_static: 0.85
                max_lora_chunk_size: 16
              router:
                policy: cache_aware
                port: null
              pools:
                - {name: a, engines: 1, worker_type: prefill, component: x, env_vars: {B: 1}, server: {tp_size: 4}}
                - {name: b, tensor_parallel_size: 4}
            anything: [1, {server: 1}]
            """;

    @Test
    void theKeptOneIsCurrent() throws IOException {
        CommandRun run = CommandRun.of("config", "schema");

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(Files.readString(KEPT))
                .as("run: sglang-ray config schema > ray-app/conf/sglang-ray.schema.json")
                .isEqualTo(run.out());
    }

    @Test
    void acceptsTheExamples() throws IOException {
        assertThat(check(GUIDE)).isEmpty();
        assertThat(check(Files.readString(Path.of("conf/demo.yaml")))).isEmpty();
    }

    @Test
    void acceptsNamesOfOtherVersions() throws IOException {
        assertThat(check(GUIDE.replace("max_lora_chunk_size: 16", "cuda_graph_max_bs: 64")))
                .isEmpty();
        assertThat(check(GUIDE.replace("max_lora_chunk_size: 16", "torchao_config: x")))
                .isNotEmpty();
    }

    @Test
    void eachRouterHasItsOwnArguments() throws IOException {
        String smg = GUIDE.replace("router:", "router_type: smg\n  router:").replace("port: null", "cache_index: hash");
        assertThat(check(smg)).isEmpty();
        assertThat(check(smg.replace("hash", "hush"))).isNotEmpty();
        assertThat(check(smg.replace("router_type: smg", "router_type: sglang-router")))
                .isNotEmpty();
        assertThat(check(smg.replace("router_type: smg", "router_type: sgm"))).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tp_size:|tp_sise:",
                "0.85|much",
                "cache_aware|cash_aware",
                "num_nodes: 2|num_nodes: 0",
                "label:|lable:",
                "env_vars: [{A: 1}]|env_vars: {A: 1}",
                "max_lora_chunk_size: 16|max_lora_chunk_size: 17",
                "tensor_parallel_size: 2|tensor_parallel_size: two",
                "port: null|port: many",
                "engines: 1|engine: 1",
                "worker_type: prefill|worker_type: prefil",
                "server: {tp_size: 4}|server: {tp_sise: 4}",
            })
    void findsSlips(String right, String wrong) throws IOException {
        assertThat(check(GUIDE.replaceFirst(Pattern.quote(right), wrong))).isNotEmpty();
    }

    private static Set<ValidationMessage> check(String yaml) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        JsonSchema schema = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V7)
                .getSchema(mapper.readTree(Files.readString(KEPT)));
        Object written = new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
        return schema.validate(mapper.valueToTree(written));
    }
}
