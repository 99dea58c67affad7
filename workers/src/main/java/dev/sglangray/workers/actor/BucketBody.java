/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.workers.protocol.ProtocolJson;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import okhttp3.MediaType;
import okhttp3.RequestBody;
import okio.BufferedSink;

/**
 * A request's body that is a bucket of the trainer's, read and sent in pieces, so that it need not fit into this JVM. A bucket is one
 * JSON object without blanks around it; what the request has besides is put before its last brace.
 */
final class BucketBody extends RequestBody {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final int CHUNK = 1 << 16;

    private final BucketShelf shelf;
    private final long size;
    private final int index;
    private final byte[] end;
    private final Duration timeout;

    BucketBody(BucketShelf shelf, long size, int index, Map<String, ?> more, Duration timeout) {
        this.shelf = shelf;
        this.size = size;
        this.index = index;
        this.timeout = timeout;
        String rest = ProtocolJson.write(more);
        // An empty object has no member that a comma could follow.
        this.end = ((size == 2 ? "" : ",") + rest.substring(1)).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public MediaType contentType() {
        return JSON;
    }

    @Override
    public long contentLength() {
        return size - 1 + end.length;
    }

    @Override
    public boolean isOneShot() {
        return true;
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
        try (InputStream bucket = shelf.open(index, timeout)) {
            long left = size - 1;
            byte[] chunk = new byte[CHUNK];
            while (left > 0) {
                int count = bucket.read(chunk, 0, (int) Math.min(left, CHUNK));
                if (count < 0) {
                    throw new IOException("bucket " + index + " ends before its end");
                }
                sink.write(chunk, 0, count);
                left -= count;
            }
        }
        sink.write(end);
    }
}
