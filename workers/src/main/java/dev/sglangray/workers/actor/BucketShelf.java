/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.workers.protocol.BucketReference;
import dev.sglangray.workers.ray.ObjectRefPoller;
import io.ray.api.BaseActorHandle;
import io.ray.api.PyActorHandle;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import io.ray.api.function.PyActorMethod;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Where a trainer keeps the buckets of an update of weights: a Python actor of the trainer's
 * ({@code sglang_ray.shelf}), which ends with the trainer. A bucket is read in pieces, so that it need not fit into this
 * JVM. Immutable; safe for use by several threads.
 */
final class BucketShelf {
    /** The actor refuses longer ones. Two are in this JVM at a time. */
    private static final int PIECE = 4 << 20;

    private static final PyActorMethod<byte[]> READ = PyActorMethod.of("piece", byte[].class);

    private final BucketReference reference;
    // Ray ends an actor whose last handle is collected.
    private final PyActorHandle actor;

    private BucketShelf(BucketReference reference, PyActorHandle actor) {
        this.reference = reference;
        this.actor = actor;
    }

    /**
     * Finds it.
     *
     * @throws IOException when it is not there: the trainer has ended
     */
    static BucketShelf find(BucketReference reference) throws IOException {
        try {
            BaseActorHandle found = Ray.<BaseActorHandle>getActor(reference.actor(), reference.namespace())
                    .orElseThrow(() -> new IOException("the trainer that has the buckets of this update is gone"));
            return new BucketShelf(reference, (PyActorHandle) found);
        } catch (RayException e) {
            throw new IOException("the buckets of this update cannot be found: " + e.getMessage(), e);
        }
    }

    /**
     * One bucket's bytes, one JSON object without blanks around it. The next piece is on its way while one is read.
     *
     * @param bucket its place in the list, from 0
     * @param timeout how long to wait for one piece
     */
    InputStream open(int bucket, Duration timeout) {
        return new Pieces(bucket, reference.sizes().get(bucket), timeout);
    }

    private CompletableFuture<byte[]> read(int bucket, long offset) {
        try {
            return ObjectRefPoller.shared()
                    .watch(actor.task(READ, reference.update(), bucket, offset, PIECE)
                            .remote());
        } catch (RayException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** For one thread. */
    private final class Pieces extends InputStream {
        private final int bucket;
        private final long size;
        private final Duration timeout;
        private byte[] piece = {};
        private int at;
        private long asked;
        private @Nullable CompletableFuture<byte[]> next;

        Pieces(int bucket, long size, Duration timeout) {
            this.bucket = bucket;
            this.size = size;
            this.timeout = timeout;
            ask();
        }

        private void ask() {
            next = asked < size ? BucketShelf.this.read(bucket, asked) : null;
            asked += PIECE;
        }

        private boolean fill() throws IOException {
            CompletableFuture<byte[]> awaited = next;
            if (at < piece.length) {
                return true;
            }
            if (awaited == null) {
                return false;
            }
            try {
                piece = awaited.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while a bucket was read");
            } catch (TimeoutException e) {
                throw new IOException(
                        "the trainer gave no piece of bucket " + bucket + " within " + timeout.toMillis() + " ms", e);
            } catch (ExecutionException e) {
                throw new IOException("bucket " + bucket + " of the trainer cannot be read: " + e.getCause(), e);
            }
            long expected = Math.min(PIECE, size - (asked - PIECE));
            if (piece.length != expected) {
                throw new IOException("bucket " + bucket + " is not as long as the trainer said");
            }
            at = 0;
            ask();
            return true;
        }

        @Override
        public int read() throws IOException {
            return fill() ? piece[at++] & 0xff : -1;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, into.length);
            if (length == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, piece.length - at);
            System.arraycopy(piece, at, into, offset, count);
            at += count;
            return count;
        }
    }
}
