/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** What may be the name of a group of engines or routers: it is a part of actors' names, of log files' names and of lines. */
public final class GroupName {
    /** Leaves room for what stands around it in the name of a file, which has 255 bytes. */
    private static final int MOST_BYTES = 128;

    private GroupName() {}

    /** Why a text cannot be the name of a group, as the end of a sentence that has the name's place as its subject. */
    public static Optional<String> refusal(String name) {
        if (name.isBlank()) {
            return Optional.of("must be a name, not an empty text");
        }
        if (name.chars().anyMatch(Character::isISOControl)) {
            return Optional.of("must be a name without line ends and other control characters");
        }
        if (name.contains(":")) {
            return Optional.of("must be a name without ':', not '" + shortened(name) + "'");
        }
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > MOST_BYTES) {
            return Optional.of("must be a name of at most " + MOST_BYTES + " bytes, but has " + bytes + ": '"
                    + shortened(name) + "'");
        }
        return Optional.empty();
    }

    private static String shortened(String name) {
        return name.length() <= MOST_BYTES ? name : name.substring(0, MOST_BYTES) + "…";
    }
}
