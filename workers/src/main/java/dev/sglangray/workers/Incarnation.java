/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import org.jspecify.annotations.Nullable;

/**
 * Which start of a worker's process this is.
 *
 * @param number 0 for the first, then counting up
 * @param port where its predecessor served, or null
 */
record Incarnation(int number, @Nullable Integer port) {
    static final Incarnation FIRST = new Incarnation(0, null);

    /** Tells the log files of a worker apart. */
    String suffix(int attempt) {
        return (number == 0 ? "" : "-restart" + number) + (attempt == 0 ? "" : "-" + attempt);
    }
}
