/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DriverNodeTest {
    private static final Path PACKAGE = Path.of("/package");

    @Test
    void noWorkerOfRayHasItsWorkingDirectoryOnItsPath() {
        for (Map<String, String> here : List.of(Map.<String, String>of(), Map.of("PYTHONPATH", ""))) {
            assertThat(DriverNode.pythonVariables(PACKAGE, here))
                    .containsEntry("PYTHONPATH", "/package")
                    .containsEntry("PYTHONSAFEPATH", "1");
        }
    }

    @Test
    void whatTheNodesRayIsFoundByStaysOnThePath() {
        assertThat(DriverNode.pythonVariables(PACKAGE, Map.of("PYTHONPATH", "/opt/ray")))
                .containsEntry("PYTHONPATH", "/package:${PYTHONPATH}");
    }
}
