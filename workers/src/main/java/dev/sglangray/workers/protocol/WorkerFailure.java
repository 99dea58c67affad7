/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

/**
 * What a worker throws inside its actor. A text and nothing else, because it crosses Ray's serializer and whatever it
 * referred to would have to cross as well. On the driver it becomes the cause of a {@code WorkerException}.
 */
public final class WorkerFailure extends RuntimeException {

    /** Takes the whole text for the person who reads it. */
    public WorkerFailure(String message) {
        super(message);
    }

    /** A start was aborted by the worker's end; {@code what} is {@code engine} or {@code router}. */
    public static WorkerFailure abortedStart(String what) {
        return new WorkerFailure(
                "the start of the " + what + " was aborted by a shutdown of its worker, as by `sglang-ray down`");
    }
}
