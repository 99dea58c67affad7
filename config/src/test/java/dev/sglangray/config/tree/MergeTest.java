/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.yaml.YamlReader;
import org.junit.jupiter.api.Test;

class MergeTest {
    @Test
    void mapsMergeAndTheRestIsReplaced() {
        assertThat(merged("{a: {b: 1, c: [1, 2]}, d: x}", "{a: {c: [3], e: 4}, d: {f: 5}}", false))
                .isEqualTo("{'a': {'b': 1, 'c': [3], 'e': 4}, 'd': {'f': 5}}");
    }

    @Test
    void missingReplacesNothingButIsAdded() {
        assertThat(merged("{a: 1}", "{a: \"???\", b: \"???\"}", false)).isEqualTo("{'a': 1, 'b': '???'}");
    }

    @Test
    void keysKeepTheirPlace() {
        assertThat(merged("{a: 1, b: 2}", "{b: 3, a: 4}", false)).isEqualTo("{'a': 4, 'b': 3}");
    }

    @Test
    void closedMapsTakeNoNewKeys() {
        assertThatThrownBy(() -> merged("{a: {b: 1}}", "{a: {c: 1}}", true))
                .isInstanceOfSatisfying(
                        MergeException.class, e -> assertThat(e.path()).isEqualTo("a.c"))
                .hasMessageContaining("does not exist");
    }

    @Test
    void mapsAndListsDoNotMerge() {
        assertThatThrownBy(() -> merged("{a: {b: 1}}", "{a: [1]}", false)).isInstanceOf(MergeException.class);
    }

    @Test
    void theSourceStaysAsItIs() {
        Node source = YamlReader.read("{a: {b: 1}}", "source");
        Node destination = YamlReader.read("{}", "destination");
        new Merge(node -> null, false).into(destination, source);

        ((MapNode) Trees.at(source, "a")).put("c", new ValueNode(2, source.position()));

        assertThat(PythonText.repr(destination)).isEqualTo("{'a': {'b': 1}}");
    }

    private static String merged(String destination, String source, boolean closed) {
        Node into = YamlReader.read(destination, "destination");
        new Merge(node -> null, closed).into(into, YamlReader.read(source, "source"));
        return PythonText.repr(into);
    }
}
