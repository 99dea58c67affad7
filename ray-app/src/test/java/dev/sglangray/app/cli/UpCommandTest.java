/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code sglang-ray up} refuses before it starts or joins a cluster, for which it would need a Python that is not there. */
class UpCommandTest {
    @TempDir
    private Path folder;

    private CommandRun up(String how, String override) throws IOException {
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
        String[] words = how.split(" ", -1);
        String[] all = new String[words.length + 3];
        System.arraycopy(words, 0, all, 0, words.length);
        all[words.length] = "-c";
        all[words.length + 1] = config.toString();
        all[words.length + 2] = override;
        return CommandRun.of(all);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "+router_server_args.server.mem_fraction_static=most | server.mem_fraction_static: must be a number",
                "+router_server_args.server.base_gpu_id=1 | server.base_gpu_id: engine 0 would use the accelerators 1 to 1",
                "+router_server_args.server.nnodes=2 | server.nnodes: cannot work in a fleet",
                "router_server_args.router.policy=fastest | router.policy",
                "+router_server_args.placement_group={accelerator_share: 2} | an accelerator share must be above 0",
                "+router_server_args.supervision={restart: sometimes} | supervision.restart",
                "cluster.component_placement.rollout=1-0 | cluster.component_placement.rollout"
            })
    void whatNoClusterCouldChangeIsRefusedBeforeAHeadStarts(String override, String text) throws IOException {
        for (String how : new String[] {"up --local", "up --detach --address 127.0.0.1:1"}) {
            CommandRun run = up(how, override);

            assertThat(run.code()).as(how + ": " + run.err()).isEqualTo(ExitCode.USAGE);
            assertThat(run.err()).contains("error: ", text);
        }
    }

    @Test
    void thenALocalHeadNeedsAPython() throws IOException {
        assertThat(up("up --local", "router_server_args.router.policy=random").code())
                .isEqualTo(ExitCode.ENVIRONMENT);
    }
}
