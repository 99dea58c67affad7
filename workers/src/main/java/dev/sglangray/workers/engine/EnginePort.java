/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.protocol.WeightUpdate;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** The control routes of an engine. Futures complete on the caller's event loop. */
public interface EnginePort {
    /** What the engine answered. */
    record Answer(int code, String body) {
        private static final int LINE = 500;

        /** Whether it did what was asked. */
        public boolean ok() {
            return code == 200;
        }

        /** In one line, short. */
        public String text() {
            String line = body.strip().replaceAll("\\s+", " ");
            return "HTTP " + code + (line.isEmpty() ? "" : ": " + line.substring(0, Math.min(line.length(), LINE)));
        }
    }

    /**
     * Posts JSON, once.
     *
     * @return the answer; a failure when none came in time, so that it is not known what the engine did
     */
    CompletableFuture<Answer> post(String path, Map<String, ?> body, Duration timeout);

    /**
     * Posts one bucket of an update to the route of its kind, once.
     *
     * @param index of the bucket, from 0
     * @param more what the request has besides
     * @return the answer; a {@link BucketMissing} when the bucket could not be read, so that nothing was asked of the engine; any
     *     other failure when no answer came in time
     */
    CompletableFuture<Answer> postBucket(WeightUpdate update, int index, Map<String, ?> more, Duration timeout);

    /** A bucket could not be read where it lies. */
    final class BucketMissing extends RuntimeException {
        /** With why. */
        public BucketMissing(String message) {
            super(message);
        }
    }

    /** How many requests run and wait in it by {@code /v1/loads}; empty for an engine without that route; or a failure. */
    CompletableFuture<OptionalInt> requests(Duration timeout);
}
