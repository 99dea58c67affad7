/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

/** Receives what a reservation waits for; called on the thread that waits, at growing intervals. */
@FunctionalInterface
public interface ProgressListener {
    /** One line for people, such as how long it has waited and what lacks. */
    void progress(String message);
}
