/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.InferenceException;
import dev.sglangray.client.internal.http.AnswerHandler;
import dev.sglangray.client.internal.http.AnswerHead;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.http.HttpCall;
import dev.sglangray.client.internal.http.HttpTransport;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** Hands what OkHttp reads, on its thread for this call, to the handler. */
final class OkHttpExchange implements HttpTransport.Exchange, Callback {
    private static final int MAX_STALE = 1000;
    private static final int PIECE = 16 * 1024;

    private final ClientOptions options;
    private final HttpCall call;
    private volatile Call httpCall;
    private final ConnectionWatch.State state;
    private final boolean paced;
    private final AnswerHandler handler;
    private final BooleanSupplier closed;
    private final Semaphore reads = new Semaphore(0);
    private final AtomicBoolean begun = new AtomicBoolean();
    private volatile @Nullable Future<?> limit;
    private volatile boolean cancelled;
    private int stale;

    OkHttpExchange(
            ClientOptions options,
            HttpCall call,
            Call httpCall,
            ConnectionWatch.State state,
            boolean paced,
            AnswerHandler handler,
            BooleanSupplier closed) {
        this.options = options;
        this.call = call;
        this.httpCall = httpCall;
        this.state = state;
        this.paced = paced;
        this.handler = handler;
        this.closed = closed;
    }

    @Override
    public void read() {
        reads.release();
    }

    @Override
    public void cancel() {
        cancelled = true;
        httpCall.cancel();
        reads.release();
    }

    /** The task that ends it if it has not begun in time; to be set before the call is sent. */
    void limit(Future<?> task) {
        limit = task;
    }

    /**
     * Ends the call with a timeout unless its answer has begun. OkHttp's own timeout counts only from when a call has left its queue.
     *
     * @return whether the handler is to hear of it, by {@link #tellExpired}
     */
    boolean expire() {
        boolean first = begin();
        if (first) {
            httpCall.cancel();
        }
        return first;
    }

    void tellExpired() {
        handler.onFailure(Failures.requestTimeout(call, null));
    }

    private boolean begin() {
        Future<?> task = limit;
        if (task != null) {
            task.cancel(false);
        }
        return begun.compareAndSet(false, true);
    }

    @Override
    public void onResponse(Call ended, Response response) {
        if (!begin()) {
            response.close();
            return;
        }
        try {
            hand(response);
        } catch (Throwable e) {
            // Nobody else would hear of it: OkHttp only logs what is thrown here.
            httpCall.cancel();
            handler.onFailure(Failures.unexpected(options, call, e));
        }
    }

    private void hand(Response response) {
        try (response;
                InputStream sent = response.body().byteStream()) {
            AnswerHead shown = state.head();
            handler.onHead(shown == null ? new AnswerHead(response.code(), response::header) : shown);
            InputStream body = null;
            byte[] piece = new byte[PIECE];
            while (true) {
                if (paced) {
                    reads.acquire();
                    // Asking twice before an answer is asking once.
                    reads.drainPermits();
                }
                if (body == null) {
                    body = isCompressed(response) ? new GZIPInputStream(sent) : sent;
                }
                int length = body.read(piece);
                if (length < 0) {
                    break;
                }
                handler.onBytes(ByteBuffer.wrap(piece, 0, length));
            }
        } catch (ZipException e) {
            handler.onFailure(Failures.notHttp(options, call, e));
            return;
        } catch (IOException e) {
            handler.onFailure(failure(e));
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            handler.onFailure(Failures.cancelled(call, e));
            return;
        }
        handler.onEnd();
    }

    @Override
    public void onFailure(Call ended, IOException e) {
        if (e instanceof IdleCheck.StaleConnectionException && stale++ < MAX_STALE && !closed.getAsBoolean()) {
            // Nothing was sent.
            Call again = ended.clone();
            httpCall = again;
            if (cancelled) {
                again.cancel();
            }
            again.enqueue(this);
            return;
        }
        if (begin()) {
            handler.onFailure(failure(e));
        }
    }

    private InferenceException failure(IOException e) {
        boolean timeout = e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException);
        for (Throwable unforeseen : e.getSuppressed()) {
            if (!(unforeseen instanceof IOException) && !closed.getAsBoolean()) {
                return Failures.unexpected(options, call, unforeseen); // OkHttp calls it cancelled.
            }
        }
        // Our own timeout cancels the call too.
        if (closed.getAsBoolean() || (httpCall.isCanceled() && !timeout)) {
            return Failures.cancelled(call, e);
        }
        if (timeout) {
            return Failures.requestTimeout(call, e);
        }
        boolean connected = state.isConnected();
        if (e instanceof SocketTimeoutException) {
            return connected ? Failures.readTimeout(call, e) : Failures.connectTimeout(options, call, e);
        }
        return connected ? Failures.lost(options, call, e) : Failures.unreachable(options, call, e);
    }

    private boolean isCompressed(Response response) {
        return options.compression()
                && "gzip".equalsIgnoreCase(response.header("Content-Encoding"))
                && response.body().contentLength() != 0;
    }
}
