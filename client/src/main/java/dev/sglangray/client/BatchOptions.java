/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.Checks;
import java.util.function.Consumer;

/**
 * How a batch of requests is sent. Immutable.
 *
 * @param concurrency how many are under way at once; at least 1
 * @param progress called after each answer or failure, one call at a time, on a thread of the client; must not
 *     block. What it throws is logged once as a warning, and the batch goes on
 */
public record BatchOptions(int concurrency, Consumer<BatchProgress> progress) {
    /** 256 at once, no report. */
    public static final BatchOptions DEFAULT = new BatchOptions(256, progress -> {});

    public BatchOptions {
        Checks.atLeast("concurrency", 1, concurrency);
    }

    /** So many at once; the rest as in {@link #DEFAULT}. */
    public static BatchOptions concurrency(int count) {
        return new BatchOptions(count, DEFAULT.progress);
    }

    /** With a report of progress. */
    public BatchOptions onProgress(Consumer<BatchProgress> report) {
        return new BatchOptions(concurrency, report);
    }
}
