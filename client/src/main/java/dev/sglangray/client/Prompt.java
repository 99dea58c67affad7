/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.List;

/** What to continue: text or token ids, one or a batch. Immutable. */
public sealed interface Prompt {
    /** The name of the field of {@code /generate} that carries it. */
    default String field() {
        return this instanceof Text || this instanceof Texts ? "text" : "input_ids";
    }

    /** The value of that field: a text, or a list. */
    Object value();

    /** One text. */
    record Text(String value) implements Prompt {}

    /** A batch of texts; not empty. */
    record Texts(List<String> value) implements Prompt {
        public Texts {
            value = List.copyOf(value);
            requireSome(value);
        }
    }

    /** The token ids of one prompt; not empty. */
    record InputIds(List<Integer> value) implements Prompt {
        public InputIds {
            value = List.copyOf(value);
            requireSome(value);
        }
    }

    /** The token ids of a batch of prompts; not empty. */
    record InputIdsBatch(List<List<Integer>> value) implements Prompt {
        public InputIdsBatch {
            value = value.stream().map(List::copyOf).toList();
            requireSome(value);
            value.forEach(Prompt::requireSome);
        }
    }

    private static void requireSome(List<?> values) {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("the prompt is an empty list");
        }
    }
}
