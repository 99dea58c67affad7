/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import okhttp3.MediaType;
import okhttp3.RequestBody;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;

/**
 * A body that OkHttp sends once: a POST that may have reached the server is not repeated behind the caller's back.
 *
 * <p>OkHttp reads nothing before it has written everything. A server that answers early, neither reads on nor hangs up, would hold
 * the call for ever; so once it stalls with an answer to be read, the rest of the body is left out. Over TLS it is not seen whether
 * there is an answer.
 */
final class NonRepeatableBody extends RequestBody {
    private static final int PIECE = 64 * 1024;
    private static final long LOOK_MILLIS = 250;
    private static final int STALLED_LOOKS = 4;

    private final byte[] bytes;
    private final ConnectionWatch.State state;
    private final ScheduledExecutorService timer;

    NonRepeatableBody(byte[] bytes, ConnectionWatch.State state, ScheduledExecutorService timer) {
        this.bytes = bytes;
        this.state = state;
        this.timer = timer;
    }

    @Override
    public @Nullable MediaType contentType() {
        return null; // A header of the call.
    }

    @Override
    public long contentLength() {
        return bytes.length;
    }

    @Override
    public boolean isOneShot() {
        return true;
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
        Socket socket = state.socket();
        if (bytes.length <= PIECE || socket == null || socket instanceof SSLSocket) {
            sink.write(bytes);
            return;
        }
        Progress progress = new Progress(socket);
        ScheduledFuture<?> looks = look(progress);
        try {
            for (int at = 0; at < bytes.length; at += PIECE) {
                sink.write(bytes, at, Math.min(PIECE, bytes.length - at));
                progress.written = at;
            }
            sink.flush();
        } finally {
            looks.cancel(false);
        }
    }

    private ScheduledFuture<?> look(Progress progress) throws IOException {
        try {
            return timer.scheduleWithFixedDelay(progress::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            throw new IOException("the client is closed", e);
        }
    }

    private static final class Progress {
        private final Socket socket;
        private volatile int written;
        private int seen = -1;
        private int stalled;

        Progress(Socket socket) {
            this.socket = socket;
        }

        void look() {
            int now = written;
            stalled = now == seen ? stalled + 1 : 0;
            seen = now;
            try {
                if (stalled >= STALLED_LOOKS && socket.getInputStream().available() > 0) {
                    socket.shutdownOutput(); // The write fails, and OkHttp reads the answer.
                }
            } catch (IOException e) {
                // Closed meanwhile: the write fails by itself.
            }
        }
    }
}
