/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

/** The waiting thread was interrupted; its flag is set again. Nothing was cancelled. */
public final class WorkerInterruptedException extends WorkerException {
    WorkerInterruptedException(String group, String method, InterruptedException cause) {
        super(group, -1, "", method, "the wait was interrupted", cause);
    }
}
