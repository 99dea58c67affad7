/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigProblemTest {
    private static final SourcePosition PLACE = new SourcePosition("fleet.yaml", 3, 7);

    @Test
    void rendersAllThatIsKnown() {
        ConfigProblem problem = ConfigProblem.error(PLACE, "server.polcy", "unknown key")
                .withAllowed(List.of("policy", "host"))
                .withFix("did you mean 'policy'?");

        assertThat(problem.render()).isEqualTo("""
                        fleet.yaml:3:7: error: server.polcy: unknown key
                            allowed: policy, host
                            fix: did you mean 'policy'?""");
    }

    @Test
    void leavesOutWhatIsNotKnown() {
        assertThat(ConfigProblem.warning(new SourcePosition("x", 0, 0), "", "odd")
                        .render())
                .isEqualTo("x: warning: odd");
    }

    @Test
    void shortensLongLists() {
        List<String> many = java.util.stream.IntStream.range(0, 50)
                .mapToObj(String::valueOf)
                .toList();

        assertThat(ConfigProblem.error(PLACE, "a", "b").withAllowed(many).render())
                .endsWith("38, 39 and 10 more");
    }

    @Test
    void anExceptionShowsEveryProblem() {
        ConfigException exception = new ConfigException(
                List.of(ConfigProblem.error(PLACE, "a", "one"), ConfigProblem.error(PLACE, "b", "two")));

        assertThat(exception).hasMessageContainingAll("a: one", "b: two");
        assertThat(exception.problems()).hasSize(2);
    }

    @Test
    void warningsAloneDoNotThrow() {
        ConfigProblem warning = ConfigProblem.warning(PLACE, "a", "one");
        List<ConfigProblem> mixed = List.of(warning, ConfigProblem.error(PLACE, "b", "two"));

        assertThatCode(() -> ConfigException.throwIfErrors(List.of(warning))).doesNotThrowAnyException();
        assertThatThrownBy(() -> ConfigException.throwIfErrors(mixed)).isInstanceOf(ConfigException.class);
    }
}
