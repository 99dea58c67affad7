/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyPathTest {
    @ParameterizedTest
    @CsvSource({
        "a, a",
        "a.b, a|b",
        "a[b], a|b",
        "a[0].c, a|0|c",
        "[a].b, a|b",
        "[a][b], a|b",
        ".a, |a",
        "..[a], ||a",
        "a..b, a||b",
        "a[b.c], a|b.c",
        "a[b, a"
    })
    void splits(String path, String parts) {
        assertThat(KeyPath.split(path)).isEqualTo(List.of(parts.split("\\|", -1)));
    }
}
