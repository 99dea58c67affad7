/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

/** Is told that a process which served has ended by itself; must not block. */
@FunctionalInterface
interface ExitListener {

    /**
     * Called once, on any thread.
     *
     * @param clean whether with exit code 0
     * @param why for people, without secrets
     */
    void ended(boolean clean, String why);
}
