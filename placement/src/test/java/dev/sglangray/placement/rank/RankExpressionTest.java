/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.rank;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.PlacementException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RankExpressionTest {
    private static final List<Integer> EIGHT = IntStream.range(0, 8).boxed().toList();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0|0",
                "0-3|0,1,2,3",
                "3,1-2,1|1,2,3",
                "0-1, 7|0,1,7",
                "' 0 - 1 '|0,1",
                "all|0,1,2,3,4,5,6,7",
                "ALL|0,1,2,3,4,5,6,7",
                ",2,|2",
                "0_1|1",
                "+1|1",
                "\u0663|3"
            })
    void readsRanks(String expression, String ranks) {
        assertThat(RankExpression.parse(expression, EIGHT, "node"))
                .map(String::valueOf)
                .containsExactly(ranks.split(",", -1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"-1", "1-", "1--2", "0x1", "1.0", "a", " all", "0-1-2", "1:0", "\u200b1", "1__0", "_1", "0,all"})
    void refusesWhatIsNoExpression(String expression) {
        assertThatThrownBy(() -> RankExpression.parse(expression, EIGHT, "node"))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("\"" + expression + "\" is not a node rank expression");
    }

    @Test
    void refusesOtherTypes() {
        for (Object value : List.of(true, 1.5, List.of(1))) {
            assertThatThrownBy(() -> RankExpression.parse(value, EIGHT, "node"))
                    .isInstanceOf(PlacementException.class)
                    .hasMessageContaining("must be text or a whole number");
        }
        assertThatThrownBy(() -> RankExpression.parse(null, EIGHT, null)).hasMessageContaining("not None");
    }

    @Test
    void saysWhatExists() {
        assertThatThrownBy(() -> RankExpression.parse("6-9", EIGHT, "node"))
                .hasMessage("\"6-9\" names node rank 9, which does not exist; there are 0-7.");
        assertThatThrownBy(() -> RankExpression.parse("3-1", EIGHT, "node")).hasMessageContaining("3-1 runs backwards");
        assertThatThrownBy(() -> RankExpression.parse("0", List.of(), "node")).hasMessageContaining("there is none");
        assertThatThrownBy(() -> RankExpression.parse("all", null, "process")).hasMessageContaining("numbered");
    }

    @Test
    void explainsNumbersThatYamlMadeOfColons() {
        assertThatThrownBy(() -> RankExpression.parse(60, EIGHT, "node"))
                .hasMessageContaining("Unquoted, 1:00 is the number 60 in YAML 1.1");
    }

    @Test
    void boundsRangesWithoutFillingTheMemory() {
        assertThatThrownBy(() -> RankExpression.parse("0-99999999999", null, "process"))
                .isInstanceOf(PlacementException.class);
    }
}
