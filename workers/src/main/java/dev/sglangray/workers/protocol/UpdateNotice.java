/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What an engine must know of an update of weights before it makes ready for it. Travels as JSON.
 *
 * @param id the {@link FleetWeights#id()} that the new weights will have
 * @param version the trainer's name for them
 * @param path where they lie; null when they do not come from disk
 * @param inFlight what becomes of requests under way
 */
public record UpdateNotice(
        String id, String version, @Nullable String path, InFlightPolicy inFlight) {
    private static final String BEGIN = "weights are replaced by version ";

    /** For people. */
    public String text() {
        return BEGIN + version;
    }

    /** Whether a text is one of {@link #text}, so that an update begins. */
    public static boolean isText(String text) {
        return text.startsWith(BEGIN);
    }
}
