/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EnvironmentBuilderTest {

    @Test
    void stripsProxiesInEveryCaseAndKeepsLocalTrafficLocal() {
        Map<String, String> environment = EnvironmentBuilder.from(Map.of(
                        "http_proxy", "p", "HTTPS_PROXY", "p", "All_Proxy", "p", "no_proxy", "intranet", "HOME", "/h"))
                .build();

        assertThat(environment)
                .doesNotContainKeys("http_proxy", "HTTPS_PROXY", "All_Proxy")
                .containsEntry("HOME", "/h")
                .containsEntry("NO_PROXY", "intranet,localhost,127.0.0.1,::1")
                .containsEntry("no_proxy", "intranet,localhost,127.0.0.1,::1");
    }

    @Test
    void isInAlphabeticalOrderWhateverOrderItsBaseHas() {
        Map<String, String> environment = EnvironmentBuilder.from(
                        Map.of("E", "1", "D", "1", "C", "1", "B", "1", "A", "1", "HOME", "/h"))
                .putIfAbsent("AA", "1")
                .build();

        assertThat(List.copyOf(environment.keySet())).isSorted();
        ProcessSpec spec = new ProcessSpec(
                "x", "python3", Path.of("s"), List.of("true"), environment, null, null, Path.of("l"), Duration.ZERO);
        assertThat(List.copyOf(spec.environment().keySet())).isSorted();
    }

    @Test
    void showsTheGivenDevicesAndHidesAll() {
        EnvironmentBuilder builder = EnvironmentBuilder.from(Map.of("CUDA_VISIBLE_DEVICES", "0,1,2,3"));

        assertThat(builder.visibleDevices("CUDA_VISIBLE_DEVICES", List.of("2", "3"))
                        .build())
                .containsEntry("CUDA_VISIBLE_DEVICES", "2,3");
        assertThat(builder.visibleDevices("ONEAPI_DEVICE_SELECTOR", List.of("2", "3"))
                        .build())
                .containsEntry("ONEAPI_DEVICE_SELECTOR", "level_zero:2,3");
        assertThat(builder.noDevices().build())
                .containsEntry("CUDA_VISIBLE_DEVICES", "")
                .containsEntry("ASCEND_RT_VISIBLE_DEVICES", "");
    }

    @Test
    void putsAFolderFirstOnThePythonPath() {
        assertThat(EnvironmentBuilder.from(Map.of("PYTHONPATH", "/a"))
                        .pythonPath(Path.of("/b"))
                        .build())
                .containsEntry("PYTHONPATH", "/b:/a");
        assertThat(EnvironmentBuilder.from(Map.of()).pythonPath(Path.of("/b")).build())
                .containsEntry("PYTHONPATH", "/b");
    }

    @Test
    void noPythonFindsItsWorkingDirectoryOnItsPath() {
        for (String path : List.of("", ":", ".", "src:.", ":relative/lib")) {
            assertThat(EnvironmentBuilder.from(Map.of("PYTHONPATH", path)).build())
                    .doesNotContainKey("PYTHONPATH")
                    .containsEntry("PYTHONSAFEPATH", "1");
        }
        assertThat(EnvironmentBuilder.from(Map.of("PYTHONPATH", ":/a:.:/b:"))
                        .pythonPath(Path.of("/c"))
                        .build())
                .containsEntry("PYTHONPATH", "/c:/a:/b");
    }

    @Test
    void whatPythonReadsWhenItIsUsedByHandIsLeftOut() {
        assertThat(EnvironmentBuilder.from(Map.of("PYTHONSTARTUP", "/home/me/start.py", "PYTHONINSPECT", "1"))
                        .build())
                .doesNotContainKeys("PYTHONSTARTUP", "PYTHONINSPECT");
    }
}
