/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Keeps one record for a successor of the worker's process. */
public interface RecordStore<T> {
    /**
     * Writes a record in place of the one before, without blocking. The future completes on the caller's event loop when this
     * record or a later one lies on the disk, or cannot be written, which is logged: without a disk a worker still works.
     */
    CompletableFuture<Void> save(T record);

    /** The record that a predecessor left; empty when there is none, or none that can be read. Called once, at the start. */
    Optional<T> load();

    /** After an orderly end there is no successor. */
    void delete();
}
