/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import java.util.List;
import java.util.Locale;

/** Recognises, in a log, a server that found its port taken. */
final class PortTakenDetector {
    /** How much of the log's end is looked at: a traceback of several processes fits. */
    static final int LINES = 200;

    private static final List<String> SIGNS =
            List.of("address already in use", "address in use", "addrinuse", "eaddrinuse", "errno 98");

    private PortTakenDetector() {}

    static boolean isIn(List<String> log) {
        return log.stream()
                .map(line -> line.toLowerCase(Locale.ROOT))
                .anyMatch(line -> SIGNS.stream().anyMatch(line::contains));
    }
}
