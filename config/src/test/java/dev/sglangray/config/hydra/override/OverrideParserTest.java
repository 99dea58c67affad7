/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ProblemSink;
import dev.sglangray.config.tree.PythonText;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OverrideParserTest {
    @ParameterizedTest
    @CsvSource({
        "a.b=1, CHANGE, a.b,",
        "+a=1, ADD, a,",
        "++a.0.c=1, FORCE_ADD, a.0.c,",
        "~a, DELETE, a,",
        "~a=1, DELETE, a,",
        "db/main@x.y=z, CHANGE, db/main, x.y",
        "$a=1, CHANGE, $a,"
    })
    void readsKeys(String line, ConfigOverride.Type type, String key, String packageName) {
        ConfigOverride override = parse(line);

        assertThat(override.type()).isEqualTo(type);
        assertThat(override.key()).isEqualTo(key);
        assertThat(override.packageName()).isEqualTo(packageName);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "1 | 1",
                "1_000 | 1000",
                "+1.5e3 | 1500.0",
                "nan | nan",
                "TRUE | True",
                "null | None",
                "abc | 'abc'",
                "a b | 'a b'",
                "'1' | '1'",
                "'it\\'s' | \"it's\"",
                "'a\\\\b' | 'a\\\\\\\\b'",
                "0-1:0-3 | '0-1:0-3'",
                "http://h:1/p?q | 'http://h:1/p?q'",
                "a\\,b | 'a,b'",
                "[1, a, [null]] | [1, 'a', [None]]",
                "{a: 1, b: {c: [x]}} | {'a': 1, 'b': {'c': ['x']}}",
                "${a.b}/c | '${a.b}/c'",
                "??? | '???'",
                "int('3') | 3",
                "float(2) | 2.0",
                "str([1, true]) | ['1', 'true']",
                "bool('False') | False",
                "sort([3, 1, 2]) | [1, 2, 3]",
                "sort([a, b], reverse=true) | ['b', 'a']"
            })
    void readsValues(String text, String value) {
        assertThat(PythonText.repr(parse("k=" + text).value())).isEqualTo(value);
    }

    @Test
    void nothingBehindTheEqualsSignIsTheEmptyText() {
        assertThat(parse("k=").value()).isEqualTo("");
        assertThat(parse("~k").hasValue()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a,b", "choice(a,b)", "range(1,3)", "glob(*)", "sort(2,1)", "int(1,2)"})
    void recognizesSweeps(String text) {
        assertThat(parse("k=" + text).value()).isInstanceOf(ConfigOverride.Sweep.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "k",
                "k.=1",
                "k..l=1",
                "--k",
                "'k'=1",
                "k=[1",
                "k={a",
                "k=a]",
                "k=a=b",
                "k=a#b",
                "k=é",
                "k=' ",
                "k=${",
                "k=nope(1)",
                "k=int(a)",
                "k l=1",
                "k@:l=1",
                "k=bool(x)",
                "k= (",
                "k=(",
                "++",
                ""
            })
    void refusesWhatTheGrammarForbids(String line) {
        assertThatThrownBy(() -> OverrideParser.parseAll(List.of(line), ProblemSink.STRICT))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("cannot read the override '" + line + "'");
    }

    @Test
    void reportsEveryBadOverride() {
        assertThatThrownBy(() -> OverrideParser.parseAll(List.of("a=[", "b=1", "c"), ProblemSink.STRICT))
                .isInstanceOfSatisfying(
                        ConfigException.class, e -> assertThat(e.problems()).hasSize(2));
    }

    @Test
    void hidesSecrets() {
        assertThatThrownBy(() -> OverrideParser.parseAll(List.of("router.api_key=s3cr3t]"), ProblemSink.STRICT))
                .hasMessageNotContaining("s3cr3t");
        assertThat(parse("router.api_key=s3cr3t").displayLine()).isEqualTo("router.api_key=<hidden>");
    }

    private static ConfigOverride parse(String line) {
        return OverrideParser.parseAll(List.of(line), ProblemSink.STRICT).get(0);
    }
}
