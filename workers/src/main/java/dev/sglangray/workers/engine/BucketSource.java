/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.protocol.WeightUpdate;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Where the buckets of an update come from. Futures complete on the caller's event loop. */
public interface BucketSource {
    /** One bucket, counted from 0: the body of one request to the engine, as SGLang describes it. */
    CompletableFuture<Map<String, Object>> bucket(WeightUpdate update, int index, Duration longest);

    /** The buckets that the update itself carries. */
    BucketSource INLINE = (update, index, longest) ->
            CompletableFuture.completedFuture(update.buckets().get(index));
}
