/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.Trees;
import dev.sglangray.config.tree.ValueNode;
import dev.sglangray.config.yaml.YamlReader;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InterpolatorTest {
    private static final String TREE = """
            one: 1
            half: 0.5
            name: abc
            none: null
            sure: true
            missing: "???"
            key: x
            map: {x: 10, y: {z: 20}, up: "${..name}"}
            list: [7, {q: 8}]
            """;

    private final Interpolator interpolator = new Interpolator(Map.of("SET", "5", "LIST", "[1, b]", "EMPTY", ""));

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "${one} | 1",
                "${half} | 0.5",
                "${none} | None",
                "${map.x} | 10",
                "${map[y].z} | 20",
                "${list[1].q} | 8",
                "${map[${key}]} | 10",
                "${map.up} | 'abc'",
                "${.one} | 1",
                "a${one}b${half} | 'a1b0.5'",
                "${sure}/${none} | 'True/None'",
                "${list} | [7, {'q': 8}]",
                "x${list} | \"x[7, {'q': 8}]\"",
                "\\${one} | '${one}'",
                "\\\\${one} | '\\\\1'",
                "\\\\\\${one} | '\\\\${one}'",
                "$${one} | '$1'",
                "${oc.env:SET} | '5'",
                "${oc.env:EMPTY,x} | ''",
                "${oc.env:UNSET,null} | None",
                "${oc.env:UNSET,[1,a]} | \"[1, 'a']\"",
                "${oc.env:UNSET,a b} | 'a b'",
                "${oc.env:UNSET,'a, ${one}'} | 'a, 1'",
                "${oc.decode:${oc.env:LIST}} | [1, 'b']",
                "${oc.decode:null} | None",
                "${oc.decode:'{a: ${one}, b: [true, 1e3, \"x\"]}'} | {'a': 1, 'b': [True, 1000.0, 'x']}",
                "${oc.select:nope,9} | 9",
                "${oc.select:missing,9} | 9",
                "${oc.select:name.deeper,9} | 9",
                "${oc.select:none,9} | None",
                "${oc.create:{a: 1}} | {'a': 1}",
                "${oc.dict.keys:map} | ['x', 'y', 'up']",
                "${oc.deprecated:one} | 1",
                "${multiply:${one},2.5} | 2.5",
                "${multiply:3,4} | 12",
                "${multiply:ab,2} | 'abab'",
                "${int_div:-7,2} | -4",
                "${int_div:7.5,2} | 3.0",
                "${subtract:2,true} | 1",
                "${not:${none}} | True",
                "${not:[1]} | False",
                "${torch.dtype:bfloat16} | 'torch.bfloat16'"
            })
    void resolves(String text, String value) {
        assertThat(PythonText.repr(resolve(text))).isEqualTo(value);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "${nme} | there is no 'nme'",
                "${nme} | did you mean 'name'?",
                "${one.x} | neither a map nor a list",
                "${missing} | has to be given a value",
                "${..one} | above the top",
                "${oc.env:UNSET} | environment variable 'UNSET' is not set",
                "${oc.env:} | takes 1 to 2 arguments",
                "${oc.env:7} | takes a text, not 7",
                "${oc.evn:X} | did you mean 'oc.env'?",
                "${map[${one}]} | must give a text, not 1",
                "${oc.decode:'[1'} | cannot read its text",
                "${oc.dict.keys:list} | path of a map",
                "${int_div:1,0} | by zero",
                "${multiply:[1],2} | cannot use a container and 2",
                "${multiply:x,10000000} | longer than",
                "${torch.dtype:bfloat17} | did you mean 'bfloat16'?",
                "${value} | lead in a circle: value -> value"
            })
    void saysWhyItCannotResolve(String text, String message) {
        assertThatThrownBy(() -> resolve(text))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("t.yaml:99:1: error: value: cannot resolve")
                .hasMessageContaining(message);
    }

    @Test
    void namesTheStepsOfACircle() {
        Node tree = YamlReader.read("a: x${b.c}\nb: {c: \"${d}\"}\nd: ${a}\n", "t.yaml");

        assertThatThrownBy(() -> interpolator.resolve(Trees.at(tree, "a")))
                .hasMessageContaining("a -> b.c -> d -> a")
                .hasMessageStartingWith("t.yaml:1:4");
    }

    @Test
    void refusesAContainerOfItself() {
        Node tree = YamlReader.read("a: {b: {c: \"${a}\"}}", "t.yaml");

        assertThatThrownBy(() -> interpolator.resolve(Trees.at(tree, "a.b.c")))
                .hasMessageContaining("container of the value itself");
    }

    @Test
    void relativeInterpolationsFollowTheCopy() {
        Node tree = YamlReader.read("x: &x {p: \"${..k}\"}\nk: 1\ny: {k: 2, z: *x}\n", "t.yaml");

        assertThat(PythonText.repr(interpolator.resolve(Trees.at(tree, "x.p")))).isEqualTo("1");
        assertThat(PythonText.repr(interpolator.resolve(Trees.at(tree, "y.z.p"))))
                .isEqualTo("2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "${",
                "${}",
                "${a",
                "${a.}",
                "${a b}",
                "${a..b}",
                "${a['b']}",
                "${a[b}",
                "x${a:b",
                "${a:{b}",
                "${a:[1}"
            })
    void findsWhatTheGrammarForbids(String text) {
        Node tree = new MapNode(SourcePosition.PROGRAM);
        ((MapNode) tree).put("k", new ValueNode(text, SourcePosition.PROGRAM));

        List<ConfigProblem> problems = Interpolator.grammarProblems(tree);

        assertThat(problems).singleElement().satisfies(problem -> {
            assertThat(problem.key()).isEqualTo("k");
            assertThat(problem.message()).startsWith("not a valid interpolation");
        });
    }

    @Test
    void doesNotShowSecrets() {
        Node tree = YamlReader.read("api_key: \"s3cr3t${nope}\"\n", "t.yaml");

        assertThatThrownBy(() -> interpolator.resolve(Trees.at(tree, "api_key")))
                .hasMessageNotContaining("s3cr3t")
                .hasMessageContaining("there is no 'nope'");
    }

    private Node resolve(String text) {
        MapNode tree = (MapNode) YamlReader.read(TREE, "t.yaml");
        ValueNode value = new ValueNode(text, new SourcePosition("t.yaml", 99, 1));
        tree.put("value", value);
        return interpolator.resolve(value);
    }
}
