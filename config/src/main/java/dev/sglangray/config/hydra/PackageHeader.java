/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code # @package name} from the first lines of a configuration. */
final class PackageHeader {
    /** Hydra looks no further. */
    private static final int LONGEST = 512;

    private static final Pattern HEADER = Pattern.compile("^#+\\s*@.*");

    private PackageHeader() {}

    /** The package that the header of a file's text names; null when there is none. */
    static @Nullable String read(String text, String file) {
        String found = null;
        int number = 0;
        for (String line : text.substring(0, Math.min(LONGEST, text.length())).split("\\R", -1)) {
            number++;
            String stripped = line.strip();
            if (stripped.isEmpty()) {
                continue;
            }
            if (!HEADER.matcher(stripped).matches()) {
                break;
            }
            String[] words = stripped.replaceFirst("^#+", "").strip().split(" +", -1);
            if (words.length != 2) {
                throw new ConfigException(ConfigProblem.error(
                        new SourcePosition(file, number, 1), "", "the header must be a name and one value"));
            }
            if (words[0].equals("@package")) {
                found = words[1];
            }
        }
        return found;
    }
}
