/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.Trees;
import dev.sglangray.config.yaml.YamlReader;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HydraResolversTest {
    private static final ZonedDateTime TIME = ZonedDateTime.of(2024, 3, 9, 7, 5, 2, 1_234_000, ZoneOffset.UTC);

    @ParameterizedTest
    @CsvSource({
        "${now:%Y-%m-%d}/${now:%H-%M-%S}, 2024-03-09/07-05-02",
        "${now:%y%j.%f}, 24069.001234",
        "${now:100%%}, 100%"
    })
    void formatsTheTime(String text, String expected) {
        assertThat(resolve(text)).isEqualTo(expected);
    }

    @Test
    void refusesDirectivesThatItDoesNotKnow() {
        assertThatThrownBy(() -> resolve("${now:%Q}")).hasMessageContaining("does not know %Q");
    }

    private static String resolve(String text) {
        Interpolator interpolator = new Interpolator(Map.of()).withHydra(TIME);
        return PythonText.str(
                Evaluation.value(interpolator.resolve(Trees.at(YamlReader.read("t: '" + text + "'", "t.yaml"), "t"))));
    }
}
