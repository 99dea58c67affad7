/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

/** Learns of the end of a process. */
public interface ExitListener {
    /**
     * It ended by itself after it was ready.
     *
     * @param clean whether with exit code 0
     * @param why in words
     */
    void ended(boolean clean, String why);

    /** The same, with the last lines of its log; comes later, as reading a log may take long. */
    default void explained(String why) {}
}
