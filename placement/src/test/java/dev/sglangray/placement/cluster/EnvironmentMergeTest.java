/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class EnvironmentMergeTest {
    @Test
    void laterLayersWinAndSearchPathsAreJoinedInFront() {
        assertThat(EnvironmentMerge.merge(
                        Map.of("PATH", "/usr/bin:/bin", "A", "1"),
                        Map.of("PATH", "/opt/bin:/bin", "A", "2"),
                        Map.of("PYTHONPATH", "/x")))
                .isEqualTo(Map.of("PATH", "/opt/bin:/bin:/usr/bin", "A", "2", "PYTHONPATH", "/x"));
    }

    @Test
    void searchPathsCanBeOverridden() {
        assertThat(EnvironmentMerge.merge(
                        Map.of("PATH", "/bin", EnvironmentMerge.MODE, "Override"), Map.of("PATH", "/opt/bin")))
                .containsEntry("PATH", "/opt/bin");
    }
}
