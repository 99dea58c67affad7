/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PythonTextTest {
    @ParameterizedTest
    @CsvSource({
        "1.0, 1.0",
        "-0.0, -0.0",
        "1e-05, 1e-05",
        "0.0001, 0.0001",
        "1e16, 1e+16",
        "123456789012345.6, 123456789012345.6",
        "9999999999999998.0, 9999999999999998.0",
        "2e-3, 0.002",
        "1e23, 1e+23",
        "2.2250738585072014E-308, 2.2250738585072014e-308",
        "4.9e-324, 5e-324",
        "1.7976931348623157E308, 1.7976931348623157e+308",
        "0.1, 0.1",
        "100, 100.0",
        "Infinity, inf",
        "-Infinity, -inf",
        "NaN, nan"
    })
    void printsDoublesAsPython(double number, String text) {
        assertThat(PythonText.str(number)).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void printedDoublesReadBack(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            double number = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(number)) {
                assertThat(Double.parseDouble(PythonText.str(number)))
                        .as("seed %s", seed)
                        .isEqualTo(number);
            }
        }
    }

    @Test
    void printsOtherValues() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("a", 1);
        map.put("b", List.of("it's", "x"));

        assertThat(PythonText.str(null)).isEqualTo("None");
        assertThat(PythonText.str(true)).isEqualTo("True");
        assertThat(PythonText.str("plain")).isEqualTo("plain");
        assertThat(PythonText.str(BigInteger.TEN.pow(30))).isEqualTo("1" + "0".repeat(30));
        assertThat(PythonText.str(map)).isEqualTo("{'a': 1, 'b': [\"it's\", 'x']}");
        assertThat(PythonText.str(Arrays.asList(null, false))).isEqualTo("[None, False]");
        assertThat(PythonText.repr("a\\b\n\u0001")).isEqualTo("'a\\\\b\\n\\x01'");
        assertThat(PythonText.repr("hé".getBytes(StandardCharsets.UTF_8))).isEqualTo("b'h\\xc3\\xa9'");
    }
}
