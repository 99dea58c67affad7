/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

/** Where a worker's process stands. */
public enum WorkerState {
    /** Not started yet. */
    NEW,
    /** Started, not healthy yet. */
    STARTING,
    /** Was healthy and runs. */
    READY,
    /** Runs, but gets no new requests. */
    DRAINED,
    /** Is being replaced by a new process. */
    RESTARTING,
    /** Did not start, or ended by itself. */
    FAILED,
    /** Ended on request. */
    STOPPED
}
