/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A token with its log-probability. Immutable.
 *
 * @param logprob the natural logarithm; NaN where the engine has none, as for a prompt's first token
 * @param tokenId the token's id
 * @param textOrNull the token's text, or null unless {@code return_text_in_logprobs} asked for it
 */
public record TokenLogprob(
        double logprob, int tokenId, @Nullable String textOrNull) {
    /** The token's text, if {@code return_text_in_logprobs} asked for it. */
    public Optional<String> text() {
        return Optional.ofNullable(textOrNull);
    }

    /** Reads SGLang's triples; empty for anything but a list. */
    static List<TokenLogprob> listOf(@Nullable Object written) {
        if (!(written instanceof List<?> triples)) {
            return List.of();
        }
        List<TokenLogprob> logprobs = new ArrayList<>(triples.size());
        for (Object triple : triples) {
            if (triple instanceof List<?> parts && parts.size() >= 2 && parts.get(1) instanceof Number id) {
                double logprob = parts.get(0) instanceof Number number ? number.doubleValue() : Double.NaN;
                String text = parts.size() > 2 && parts.get(2) instanceof String last ? last : null;
                logprobs.add(new TokenLogprob(logprob, id.intValue(), text));
            }
        }
        return List.copyOf(logprobs);
    }
}
