/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainerReportsTest {
    private static void refuses(long step, Map<String, Double> values, String words) {
        assertThatThrownBy(() -> new TrainerStep(step, values))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(words);
    }

    @Test
    void refusesWhatIsNotAllowedAndSaysWhatIs() {
        refuses(-1, Map.of("reward", 1.0), "the step must be 0 or more, not -1");
        refuses(3, Map.of(), "0 values are reported of step 3; a step has 1 to 16 finite numbers");
        refuses(3, Map.of("reward", Double.NaN), "the value of 'reward' of step 3 is NaN; a step has");
        refuses(3, Map.of("reward", Double.POSITIVE_INFINITY), "is Infinity");
        refuses(3, Map.of("x".repeat(65), 1.0), "with names of 1 to 64 characters");
        refuses(3, Map.of(" ", 1.0), "the name ' ' of step 3 is not allowed");
    }

    @Test
    void aFleetHasSixteenNamesInAll() {
        List<TrainerStep> taken = new ArrayList<>();
        TrainerReports reports = new TrainerReports(taken::add);
        Map<String, Double> values = new HashMap<>();
        for (int i = 0; i < 16; i++) {
            values.put("name" + i, 1.0);
        }
        reports.take(new TrainerStep(1, values));
        reports.take(new TrainerStep(2, Map.of("name3", 2.0)));
        assertThatThrownBy(() -> reports.take(new TrainerStep(3, Map.of("another", 2.0))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(
                        "step 3 makes 17 names of reported values, and a fleet has 16 at most; it has name0");
        assertThat(taken).extracting(TrainerStep::step).containsExactly(1L, 2L);
    }
}
