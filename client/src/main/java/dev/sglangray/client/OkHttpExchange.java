/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.concurrent.Semaphore;
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
    private final boolean paced;
    private final AnswerHandler handler;
    private final BooleanSupplier closed;
    private final Semaphore reads = new Semaphore(0);
    private volatile boolean cancelled;
    private int stale;

    OkHttpExchange(
            ClientOptions options,
            HttpCall call,
            Call httpCall,
            boolean paced,
            AnswerHandler handler,
            BooleanSupplier closed) {
        this.options = options;
        this.call = call;
        this.httpCall = httpCall;
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

    @Override
    public void onResponse(Call ended, Response response) {
        try (response;
                InputStream sent = response.body().byteStream()) {
            handler.onHead(new AnswerHead(response.code(), name -> header(response, name)));
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
            onFailure(ended, e);
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
        handler.onFailure(failure(e));
    }

    private InferenceException failure(IOException e) {
        boolean timeout = e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException);
        // Our own timeout cancels the call too.
        if (closed.getAsBoolean() || (httpCall.isCanceled() && !timeout)) {
            return Failures.cancelled(call, e);
        }
        if (timeout) {
            return Failures.requestTimeout(call, e);
        }
        ConnectionWatch.State state = httpCall.request().tag(ConnectionWatch.State.class);
        boolean connected = state != null && state.isConnected();
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

    private static @Nullable String header(Response response, String name) {
        // What OkHttp itself looked at may have been changed on the way in; the network's answer has it too.
        String value = response.header(name);
        return "none".equals(value) ? null : value;
    }
}
