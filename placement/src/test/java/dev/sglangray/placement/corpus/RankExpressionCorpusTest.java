/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.rank.RankExpression;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Rank expressions against RLinf's answers. */
class RankExpressionCorpusTest {
    @Test
    void agrees() {
        Corpus.check("rank_expression", RankExpressionCorpusTest::judge);
    }

    private static @Nullable String judge(JsonNode row) {
        JsonNode input = row.path("input");
        JsonNode output = row.path("output");
        List<Integer> available = null;
        if (input.path("available_ranks").isArray()) {
            available = new ArrayList<>();
            for (JsonNode rank : input.path("available_ranks")) {
                available.add(rank.asInt());
            }
        }
        String kind = input.path("rank_type").isNull()
                ? null
                : input.path("rank_type").asText();
        boolean expected = output.path("ok").asBoolean() && !Corpus.mustRefuse(row);
        try {
            List<Integer> ranks = RankExpression.parse(Corpus.javaValue(input.path("rank_config")), available, kind);
            return expected
                    ? Corpus.difference("ranks", output.path("ranks"), Corpus.json(ranks))
                    : "accepted as " + ranks + ": " + input;
        } catch (PlacementException refusal) {
            return expected ? "refused: " + refusal.getMessage() : null;
        }
    }
}
