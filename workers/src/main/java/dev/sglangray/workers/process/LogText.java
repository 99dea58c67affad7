/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import java.nio.file.Path;
import java.util.List;

/** The end of a log as part of an error message. */
final class LogText {
    /** SGLang prints all of its arguments in one line. */
    private static final int LONGEST_LINE = 400;

    private LogText() {}

    static String of(List<String> lines, Path file, String node) {
        String place = file + " on node " + node;
        return lines.isEmpty()
                ? "\nIts log is empty (" + place + ")."
                : "\nLast lines of its log (" + place + "):\n  "
                        + String.join(
                                "\n  ", lines.stream().map(LogText::shorten).toList());
    }

    private static String shorten(String line) {
        return line.length() <= LONGEST_LINE ? line : line.substring(0, LONGEST_LINE) + " …";
    }
}
