/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import org.jspecify.annotations.Nullable;

/**
 * Which start of a worker's process this is.
 *
 * @param number 0 for the first, then counting up
 * @param port where its predecessor served, or null
 * @param variant tells starts of one number apart; mostly empty
 */
public record Incarnation(int number, @Nullable Integer port, String variant) {
    public static final Incarnation FIRST = new Incarnation(0, null);

    public Incarnation(int number, @Nullable Integer port) {
        this(number, port, "");
    }

    public Incarnation variant(String word) {
        return new Incarnation(number, port, word);
    }

    /** Tells the log files of a worker apart. */
    String suffix(int attempt) {
        return (number == 0 ? "" : "-restart" + number) + variant + (attempt == 0 ? "" : "-" + attempt);
    }
}
