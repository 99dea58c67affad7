/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgramFilesTest {

    @Test
    void thePythonIsTheScriptsElseTheVariablesElsePython3() {
        Map<String, String> environment = Map.of("SGLANG_RAY_PYTHON", "/opt/python");
        assertThat(ProgramFiles.python("/found/by/the/script", environment)).isEqualTo("/found/by/the/script");
        assertThat(ProgramFiles.python("", environment)).isEqualTo("/opt/python");
        assertThat(ProgramFiles.python(" ", Map.of())).isEqualTo("python3");
    }

    @Test
    void workersLoadFromTheJar() {
        assertThat(ProgramFiles.codeSearchPath(Path.of("/x/sglang-ray.jar"))).isEqualTo("/x/sglang-ray.jar");
    }

    @Test
    void theJarOfOneModuleIsRefused() {
        Path own = Path.of("/m2/sglang-ray-app-1.0.jar");
        assertThatThrownBy(() -> ProgramFiles.requireWhole(own, ProgramFiles.class, Test.class))
                .isInstanceOf(SessionException.class)
                .hasMessageContaining(own + " holds a part of sglang-ray")
                .hasMessageContaining("sglang-ray run");
        assertThatCode(() -> ProgramFiles.requireWhole(own, ProgramFiles.class, SessionException.class))
                .doesNotThrowAnyException();
    }
}
