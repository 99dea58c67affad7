/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import java.util.List;

/**
 * Accelerator memory that an engine has released.
 *
 * @param tags by SGLang's words, in the order in which they were released
 * @param uncertain whether an answer was lost, so that the last change may or may not have happened
 */
public record ReleasedMemory(List<String> tags, boolean uncertain) {
    /** What SGLang can release; without a tag it releases all. */
    public static final List<String> ALL = List.of("kv_cache", "weights", "cuda_graph");

    private static final String BEGIN = "memory released: ";

    /** Nothing is released. */
    public static final ReleasedMemory NOTHING = new ReleasedMemory(List.of(), false);

    /** Copies the list. */
    public ReleasedMemory {
        tags = List.copyOf(tags);
    }

    /** Whether all memory is there, for sure. */
    public boolean isNothing() {
        return tags.isEmpty() && !uncertain;
    }

    /** Whether a condition in a worker's status says that memory is released, as {@link #text()} does. */
    public static boolean isText(String condition) {
        return condition.startsWith(BEGIN);
    }

    /** For people. */
    public String text() {
        return BEGIN + String.join(", ", tags) + (uncertain ? " (uncertain)" : "");
    }
}
