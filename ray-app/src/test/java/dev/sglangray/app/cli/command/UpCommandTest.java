/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cli.CommandRun;
import dev.sglangray.app.cli.context.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code sglang-ray up} refuses before it starts or joins a cluster, for which it would need a Python that is not there. */
class UpCommandTest {
    @TempDir
    private Path folder;

    private CommandRun up(List<String> how, String override) throws IOException {
        Path config = Files.writeString(folder.resolve("fleet.yaml"), """
                cluster:
                  num_nodes: 1
                  component_placement: {rollout: 0-1}
                router_server_args:
                  model_path: /m
                  tensor_parallel_size: 1
                  pipeline_parallel_size: 1
                  server: {model_path: "${..model_path}"}
                  router: {policy: random}
                """);
        List<String> words = new ArrayList<>(how);
        words.addAll(List.of("-c", config.toString(), override));
        return CommandRun.of(words.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "+router_server_args.server.mem_fraction_static=most | server.mem_fraction_static: must be a number",
                "+router_server_args.server.base_gpu_id=1 | server.base_gpu_id: engine 0 would use the accelerators 1 to 1",
                "+router_server_args.server.node_rank=1 | server.node_rank: cannot work in a fleet",
                "+router_server_args.server.nnodes=3 | server.nnodes: an engine of 1 accelerator(s) has no equal parts on 3 nodes",
                "router_server_args.router.policy=fastest | router.policy",
                "+router_server_args.placement_group={accelerator_share: 2} | an accelerator share must be above 0",
                "+router_server_args.supervision={restart: sometimes} | supervision.restart",
                "cluster.component_placement.rollout=1-0 | cluster.component_placement.rollout"
            })
    void whatNoClusterCouldChangeIsRefusedBeforeAHeadStarts(String override, String text) throws IOException {
        for (List<String> how :
                List.of(List.of("up", "--local"), List.of("up", "--detach", "--address", "127.0.0.1:1"))) {
            CommandRun run = up(how, override);

            assertThat(run.code()).as(how + ": " + run.err()).isEqualTo(ExitCode.USAGE);
            assertThat(run.err()).contains("error: ", text);
        }
    }

    @Test
    void thenALocalHeadNeedsAPython() throws IOException {
        assertThat(up(List.of("up", "--local"), "router_server_args.router.policy=random")
                        .code())
                .isEqualTo(ExitCode.ENVIRONMENT);
    }
}
