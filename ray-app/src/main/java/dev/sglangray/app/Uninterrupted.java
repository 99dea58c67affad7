/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

/** Lets what must be done be done on an interrupted thread, and keeps its flag. Stateless. */
final class Uninterrupted {
    private Uninterrupted() {}

    static void run(Runnable task) {
        boolean interrupted = Thread.interrupted();
        try {
            task.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
