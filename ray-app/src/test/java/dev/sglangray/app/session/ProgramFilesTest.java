/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;

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
}
