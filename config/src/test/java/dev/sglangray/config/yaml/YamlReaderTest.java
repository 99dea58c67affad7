/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.Trees;
import dev.sglangray.config.tree.ValueNode;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class YamlReaderTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "yes | True",
                "Off | False",
                "y | 'y'",
                "~ | None",
                "1e3 | 1000.0",
                "1e-4 | 0.0001",
                "1.5e3 | 1500.0",
                "+.5 | '+.5'",
                "nan | 'nan'",
                "-.inf | -inf",
                "0x1F | 31",
                "0b11 | 3",
                "012 | 10",
                "08 | '08'",
                "1_000 | 1000",
                "1:30 | 90",
                "190:20:30.15 | 685230.15",
                "0-7 | '0-7'",
                "0-1:0-3 | '0-1:0-3'",
                "2001-01-01 | '2001-01-01'",
                "12345678901234567890 | 12345678901234567890",
                "!!str 1 | '1'",
                "!!int '012' | 10",
                "!!binary aGk= | b'hi'"
            })
    void typesScalarsAsOmegaConf(String yaml, String value) {
        assertThat(read("a: " + yaml)).isEqualTo("{'a': " + value + "}");
    }

    @Test
    void mergesKeysOfAliases() {
        assertThat(read("x: &x {p: 1, q: 2}\ny: {<<: *x, q: 3}\nz: {<<: [*x, {q: 5, r: 6}]}"))
                .isEqualTo("{'x': {'p': 1, 'q': 2}, 'y': {'p': 1, 'q': 3}, 'z': {'q': 2, 'r': 6, 'p': 1}}");
    }

    @Test
    void emptyDocumentsAreEmptyMaps() {
        assertThat(read("")).isEqualTo("{}");
        assertThat(read("# nothing\n")).isEqualTo("{}");
        assertThat(read("\ufeffa: 1")).isEqualTo("{'a': 1}");
    }

    @Test
    void knowsWhereNodesStand() {
        Node tree = YamlReader.read("a:\n  b:\n    - 1\n    - {c: 2}\n", "f.yaml");

        Node item = Trees.at(tree, "a.b.1.c");

        assertThat(item).isInstanceOf(ValueNode.class);
        assertThat(item.path()).isEqualTo("a.b[1].c");
        assertThat(item.position()).isEqualTo(new SourcePosition("f.yaml", 4, 11));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "!!python/object/apply:os.system ['true']",
                "!!python/object/apply:pathlib.Path [x]",
                "!!python/name:os.system ''",
                "!!javax.script.ScriptEngineManager []",
                "!custom {}",
                "!!set {x}",
                "!!timestamp 2001-01-01",
                "!!java.net.URL ['http://localhost']"
            })
    void refusesTagsThatAreNotData(String yaml) {
        assertThatThrownBy(() -> read("a: " + yaml))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("f.yaml:1:4: error:");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'a: 1\nb: 2\na: 3' | f.yaml:3:1 | line 1",
                "'a: {b: 1, b: 2}' | f.yaml:1:11 | duplicate key",
                "'1: a\n1: b' | f.yaml:2:1 | duplicate key '1'",
                "'1: a\ntrue: b' | f.yaml:2:1 | duplicate key 'True'",
                "'2.0: a\n2: b' | f.yaml:2:1 | duplicate key '2'",
                "'a: &x 1\nb: &x 2' | f.yaml:2:4 | given twice, first in line 1",
                "'a: &x! 1' | f.yaml:1:4 | the anchor 'x!'",
                "'a: 1\t' | f.yaml:1:5 | a tab",
                "'a:\t1' | f.yaml:1:3 | cannot start any token",
                "'a: [1,\t2]' | f.yaml:1:7 | a tab",
                "'a:\n\tb: 2' | f.yaml:2:1 | cannot start any token",
                "'%x' | f.yaml:1:1 | a directive",
                "'a: \"\\u' | f.yaml | not valid YAML",
                "'a: !!binary aG' | f.yaml:1:4 | ends too early",
                "'a: !!binary aé==' | f.yaml:1:4 | ASCII",
                "'a: [1' | f.yaml:1:6 | not valid YAML",
                "'a: b: c' | f.yaml:1:5 | mapping values",
                "'? [1]\n: 2' | f.yaml:1:3 | not a list",
                "'null: 1' | f.yaml:1:1 | a key must be",
                "'a: *b' | f.yaml:1:4 | undefined alias",
                "'a: 1\n---\nb: 2' | f.yaml:2:1 | single document",
                "'a: &a [*a]' | f.yaml:1:4 | leads back",
                "'a: &a {<<: *a}' | f.yaml:1:4 | into itself",
                "'3' | f.yaml:1:1 | must be a map",
                "'a: \u0001' | f.yaml:1:4 | not allowed"
            })
    void saysWhereTheTextIsWrong(String yaml, String position, String message) {
        assertThatThrownBy(() -> read(yaml))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(position + ": error:")
                .hasMessageContaining(message);
    }

    @Test
    void tabsAreFineInTextAndComments() {
        assertThat(read("a: 'x\ty' # \tz\nb: \"\t\"\nc: |\n  \tx\n#\t\nd: &b-1_x 1\n"))
                .isEqualTo("{'a': 'x\\ty', 'b': '\\t', 'c': '\\tx\\n', 'd': 1}");
    }

    @ParameterizedTest
    @CsvSource({"aGk=, hi", "a.G k=, hi", "aGk=zzz, hi", "aGVs, hel", "'', ''", "aGkh, hi!"})
    void bytesAreReadAsPythonReadsThem(String text, String expected) {
        Node value = Trees.at(YamlReader.read("a: !!binary '" + text + "'", "f.yaml"), "a");

        assertThat(((ValueNode) value).value()).isEqualTo(expected.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void refusesAliasesThatMultiply() {
        StringBuilder yaml = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 9; i++) {
            yaml.append("a%d: &a%d [".formatted(i, i));
            yaml.append(("*a" + (i - 1) + ", ").repeat(10)).append("]\n");
        }

        assertThatThrownBy(() -> read(yaml.toString())).hasMessageContaining("once its aliases are expanded");
    }

    @Test
    void refusesMergesThatMultiply() {
        StringBuilder yaml = new StringBuilder("a0: &a0 {k0: 1, l0: 1, m0: 1}\n");
        for (int i = 1; i < 40; i++) {
            yaml.append("a%d: &a%d {<<: [*a%d, *a%d], k%d: 1}\n".formatted(i, i, i - 1, i - 1, i));
        }

        assertThatThrownBy(() -> read(yaml.toString())).isInstanceOf(ConfigException.class);
    }

    @Test
    void refusesDeepNesting() {
        assertThatThrownBy(() -> read("[".repeat(5_000))).isInstanceOf(ConfigException.class);
        assertThatThrownBy(() -> read("{a: ".repeat(200) + "1" + "}".repeat(200)))
                .hasMessageContaining("Nesting Depth exceeded");
    }

    private static String read(String yaml) {
        return PythonText.repr(YamlReader.read(yaml, "f.yaml"));
    }
}
