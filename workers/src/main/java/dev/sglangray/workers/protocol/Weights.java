/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Weights that an engine may have. Travels as JSON.
 *
 * @param version the trainer's name for them; {@code default} for those of the model's path unless {@code weight_version} says
 *     otherwise, as SGLang has it
 * @param path where they lie on the engines' nodes, or null when they came as tensors and cannot be had again
 * @param loadFormat SGLang's {@code load_format}, or null for the engine's own
 */
public record Weights(
        String version, @Nullable String path, @Nullable String loadFormat) {
    private static final String VERSION = "version ";
    private static final String TENSORS = " (from tensors)";
    private static final String FROM = " from ";

    /** Checks the version. */
    public Weights {
        if (version.isBlank()) {
            throw new IllegalArgumentException("A version of weights must not be empty.");
        }
    }

    /** For people. */
    public String text() {
        return VERSION + version + (path == null ? TENSORS : FROM + path);
    }

    /** The version in what {@link #text} made, with words before it or none; empty for other texts. */
    public static Optional<String> versionIn(String text) {
        int begin = text.indexOf(VERSION);
        int end = text.endsWith(TENSORS) ? text.length() - TENSORS.length() : text.lastIndexOf(FROM);
        return begin < 0 || end <= begin + VERSION.length()
                ? Optional.empty()
                : Optional.of(text.substring(begin + VERSION.length(), end));
    }
}
