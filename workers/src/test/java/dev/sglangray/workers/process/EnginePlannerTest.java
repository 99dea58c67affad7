/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.StandIn;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an engine is started with. */
class EnginePlannerTest {
    @TempDir
    Path folder;

    private static Map<String, String> environment(
            ProcessFactory kit, Map<String, String> configured, List<PartSpec> others) {
        return new EnginePlanner(StandIn.spanning(configured, others), kit, Incarnation.FIRST)
                .forkServer()
                .environment();
    }

    @Test
    void partsOfAnEngineMeetAtTheAddressByWhichRayKnowsTheNode() {
        ProcessFactory kit = StandIn.kit(folder, List.of("0"));
        List<PartSpec> others =
                List.of(new PartSpec("10.0.0.2", Map.of(), null, "CUDA_VISIBLE_DEVICES", List.of("0"), null));
        assertThat(environment(kit, Map.of(), others))
                .containsEntry("SGLANG_HOST_IP", "127.0.0.1")
                .containsEntry("GLOO_SOCKET_IFNAME", "lo")
                .containsEntry("NCCL_SOCKET_IFNAME", "=lo");
        assertThat(environment(kit, Map.of("SGLANG_HOST_IP", "10.1.0.1", "NCCL_SOCKET_IFNAME", "ib0"), others))
                .containsEntry("SGLANG_HOST_IP", "10.1.0.1")
                .containsEntry("NCCL_SOCKET_IFNAME", "ib0");
        assertThat(environment(kit, Map.of(), List.of())).doesNotContainKeys("SGLANG_HOST_IP", "NCCL_SOCKET_IFNAME");
    }

    @Test
    void decodersFindAPrefillEngineAtTheAddressByWhichRayKnowsTheNode() {
        ProcessFactory kit = StandIn.kit(folder, List.of("0"));
        for (String mode : List.of("prefill", "decode")) {
            Map<String, Object> arguments = Map.of("model_path", "/m", "disaggregation_mode", mode);
            assertThat(new EnginePlanner(StandIn.server(arguments, 20, Map.of()), kit, Incarnation.FIRST)
                            .forkServer()
                            .environment())
                    .containsEntry("SGLANG_HOST_IP", "127.0.0.1")
                    .doesNotContainKey("NCCL_SOCKET_IFNAME");
        }
    }
}
