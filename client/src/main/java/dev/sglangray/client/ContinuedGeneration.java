/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A generation that other engines continued when the one that generated it failed, or as much of it as there is so far. Immutable.
 *
 * @param parts what each engine generated, in order; one part where nothing failed, none before the first token
 */
public record ContinuedGeneration(List<Generation> parts) {
    public ContinuedGeneration {
        parts = List.copyOf(parts);
    }

    /** The generated token ids of all parts. */
    public List<Integer> outputIds() {
        return parts.stream().flatMap(part -> part.outputIds().stream()).toList();
    }

    /**
     * The generated text of all parts. A character whose bytes are of tokens of two parts may be missing: {@link #outputIds} has its
     * tokens.
     */
    public String text() {
        return String.join("", parts.stream().map(Generation::text).toList());
    }

    /** The log-probabilities of all parts, if they were asked for; decoded at each call. */
    public List<TokenLogprob> outputTokenLogprobs() {
        return parts.stream()
                .flatMap(part -> part.metaInfo().outputTokenLogprobs().stream())
                .toList();
    }

    /** The version of the weights that generated each part; empty texts from an engine that does not say it. */
    public List<String> weightVersions() {
        return parts.stream()
                .map(part -> part.metaInfo().weightVersion().orElse(""))
                .toList();
    }

    /** Why the generation ended; empty while it goes on, and where an engine failed after the last token that was asked for. */
    public Optional<String> finishReason() {
        return parts.isEmpty()
                ? Optional.empty()
                : parts.get(parts.size() - 1).metaInfo().finishReason();
    }

    /** These parts, and one more after them if it has tokens. */
    ContinuedGeneration with(Generation part) {
        return part.outputIds().isEmpty()
                ? this
                : new ContinuedGeneration(
                        Stream.concat(parts.stream(), Stream.of(part)).toList());
    }
}
