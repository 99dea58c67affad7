/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.argument;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Severity;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArgumentHistoryTest {
    private static final ArgumentHistory HISTORY = ArgumentHistory.parse("""
            {"format": 1, "kind": "server", "package": "sglang",
             "releases": [{"version": "0.5.9"}, {"version": "0.5.10"}, {"version": "0.5.10.post1"}, {"version": "0.5.11"}],
             "fields": [
              {"name": "tp_size", "from": "0.5.9", "type": "int", "nullable": false},
              {"name": "max_bs", "from": "0.5.9", "to": "0.5.9", "type": "int", "nullable": true},
              {"name": "max_bs_decode", "from": "0.5.10", "type": "int", "nullable": true},
              {"name": "fused", "from": "0.5.9", "to": "0.5.10", "type": "bool", "nullable": false},
              {"name": "no_graph", "from": "0.5.9", "to": "0.5.10", "type": "bool", "nullable": false},
              {"name": "backend", "from": "0.5.9", "to": "0.5.10.post1", "type": "str", "nullable": true, "choices": ["a"]},
              {"name": "backend", "from": "0.5.11", "type": "str", "nullable": true, "choices": ["a", "fused", "none"]},
              {"name": "mode", "from": "0.5.9", "to": "0.5.9", "type": "str", "nullable": true},
              {"name": "strategy", "from": "0.5.10", "to": "0.5.10.post1", "type": "str", "nullable": true},
              {"name": "cp", "from": "0.5.11", "type": "str", "nullable": true},
              {"name": "ao", "from": "0.5.9", "to": "0.5.10.post1", "type": "str", "nullable": false},
              {"name": "histogram", "from": "0.5.9", "to": "0.5.9", "type": "bool", "nullable": false}]}
            """, """
            {"format": 1, "server": [
              {"old": "max_bs", "new": "max_bs_decode", "since": "0.5.10"},
              {"old": "fused", "new": "backend", "since": "0.5.10.post1", "values": {"true": "fused", "false": null}},
              {"old": "no_graph", "new": "backend", "since": "0.5.10.post1", "values": {"true": "none", "false": null}},
              {"old": "half_fused", "new": "backend", "since": "0.5.10", "values": {"true": "fused"}},
              {"old": "mode", "new": "strategy", "since": "0.5.10"},
              {"old": "strategy", "new": "cp", "since": "0.5.11", "values": {"in-seq": "zigzag"}},
              {"old": "histogram", "since": "0.5.10", "advice": "set enable_metrics"}]}
            """);

    @Test
    void aReleaseHasTheArgumentsOfItsTime() {
        assertThat(release("0.5.9").fields().keySet())
                .containsExactlyInAnyOrder(
                        "tp_size", "max_bs", "fused", "no_graph", "backend", "mode", "ao", "histogram");
        assertThat(release("0.5.10.post1").field("backend").orElseThrow().choices())
                .containsExactly("a");
        assertThat(release("0.5.11").field("backend").orElseThrow().choices()).contains("fused");
        assertThat(HISTORY.schema("0.5.12")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "0.5.8, 0.5.9",
        "0.5.10, 0.5.10",
        "0.5.10rc1, 0.5.10",
        "0.5.10.post2, 0.5.10.post1",
        "1.0, 0.5.11",
        "x, 0.5.9"
    })
    void theNearestReleaseIsTheLastOneBefore(String version, String nearest) {
        assertThat(HISTORY.nearest(version)).isEqualTo(nearest);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0.5.10 | max_bs: 64 | is passed on as 'max_bs_decode', which it is called since sglang 0.5.10 | write 'max_bs_decode'",
                "0.5.10 | max_bs: null | is passed on as 'max_bs_decode', which it is called since sglang 0.5.10 | write 'max_bs_decode'",
                "0.5.11 | fused: true | is passed on as 'backend: fused', which it is called since sglang 0.5.10.post1 | write 'backend: fused'",
                "0.5.11 | fused: false | is left out: since sglang 0.5.10.post1 'backend' is in its place | remove it",
                "0.5.10 | mode: in-seq | is passed on as 'strategy', which it is called since sglang 0.5.10 | write 'strategy'",
                "0.5.11 | mode: in-seq | is passed on as 'cp: zigzag', which it is called since sglang 0.5.11 | write 'cp: zigzag'"
            })
    void anOldNameIsTranslatedWithAWarning(String version, String line, String message, String fix) {
        assertThat(check(version, line)).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Severity.WARNING);
            assertThat(problem.position().line()).isEqualTo(1);
            assertThat(problem.key()).isEqualTo(line.substring(0, line.indexOf(':')));
            assertThat(problem.message()).isEqualTo(message);
            assertThat(problem.fix()).isEqualTo(fix);
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0.5.11 | ao: x | sglang 0.5.11 has no argument 'ao': it was dropped in 0.5.11 | ''",
                "0.5.10 | histogram: true | sglang 0.5.10 has no argument 'histogram': it was dropped in 0.5.10 | set enable_metrics",
                "0.5.9 | max_bs_decode: 8 | sglang 0.5.9 has no argument 'max_bs_decode': it comes with 0.5.10 | 0.5.9 has 'max_bs' in its place",
                "0.5.9 | tp_sise: 2 | sglang 0.5.9 has no argument 'tp_sise' | did you mean 'tp_size'?",
                "0.5.11 | mode: other | since sglang 0.5.11 'cp' is in its place, which has nothing for the text other | ''",
                "0.5.10 | half_fused: true | since sglang 0.5.10 'backend' is in its place, which has nothing for true | ''",
                "0.5.10 | max_bs: many | must be an integer or null, not the text 'many' | ''",
                "0.5.10 | '{max_bs: 8, max_bs_decode: 9}' | since sglang 0.5.10 this is 'max_bs_decode', which is given too | remove one of them",
                "0.5.11 | '{fused: true, no_graph: true}' | since sglang 0.5.10.post1 this is 'backend', which is given too, as 'fused' | remove one of them"
            })
    void whatHasNoNameInAReleaseIsRefused(String version, String yaml, String message, String fix) {
        List<ConfigProblem> errors = check(version, yaml).stream()
                .filter(problem -> problem.severity() == Severity.ERROR)
                .toList();

        assertThat(errors).singleElement().satisfies(problem -> {
            assertThat(problem.message().replace("'other'", "other")).isEqualTo(message);
            assertThat(problem.fix()).isEqualTo(fix);
        });
    }

    @Test
    void anUnsetArgumentBesideItsOldNameIsNoContradiction() {
        assertThat(check("0.5.10", "{max_bs: 8, max_bs_decode: null}"))
                .extracting(ConfigProblem::severity)
                .containsExactly(Severity.WARNING);
        assertThat(check("0.5.11", "{fused: true, no_graph: false}"))
                .extracting(ConfigProblem::severity)
                .containsExactly(Severity.WARNING, Severity.WARNING);
    }

    @Test
    void aVersionThatIsNoReleaseIsComparedByItsNumbers() {
        ArgumentSchema nightly = ArgumentSchema.parse("""
                {"schema_version": 1, "kind": "server", "package": "sglang", "version": "0.5.12.dev3", "fields": [
                  {"name": "tp_size", "type": "int", "nullable": false}]}
                """, HISTORY);

        assertThat(messages(nightly, "ao: x"))
                .containsExactly("sglang 0.5.12.dev3 has no argument 'ao': it was dropped in 0.5.11");
        assertThat(messages(nightly, "cp: x"))
                .containsExactly("sglang 0.5.12.dev3 has no argument 'cp', unlike releases 0.5.11 to 0.5.11");
    }

    @Test
    void aBrokenInterpolationUnderAnOldNameIsSaidOnce() {
        assertThat(check("0.5.10", "max_bs: ${nope}"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("there is no 'nope'"));
    }

    @Test
    void refusesOtherTexts() {
        assertThatThrownBy(() -> ArgumentHistory.parse("{", "{}")).hasMessageContaining("not JSON");
        assertThatThrownBy(() -> ArgumentHistory.parse("{\"format\": 2}", "{}")).hasMessageContaining("another format");
    }

    private static ArgumentSchema release(String version) {
        return HISTORY.schema(version).orElseThrow();
    }

    private static List<ConfigProblem> check(String version, String yaml) {
        return ArgumentValidator.validate(Config.parse(yaml), release(version));
    }

    private static List<String> messages(ArgumentSchema schema, String yaml) {
        return ArgumentValidator.validate(Config.parse(yaml), schema).stream()
                .map(ConfigProblem::message)
                .toList();
    }
}
