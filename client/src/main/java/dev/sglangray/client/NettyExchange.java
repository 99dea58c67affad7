/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import io.netty.util.concurrent.Future;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One call on an event loop: waiting for a connection, on one, or done. All but {@link #read} and {@link #cancel} run on the loop. */
final class NettyExchange implements HttpTransport.Exchange {
    private final HttpCall call;
    private final boolean paced;
    private final AnswerHandler handler;
    private final NettyPool pool;
    private @Nullable NettyConnection connection;
    private @Nullable Future<?> requestTimer;
    private @Nullable Future<?> silenceTimer;
    private long lastHeard;
    private boolean done;

    NettyExchange(HttpCall call, boolean paced, AnswerHandler handler, NettyPool pool) {
        this.call = call;
        this.paced = paced;
        this.handler = handler;
        this.pool = pool;
    }

    HttpCall call() {
        return call;
    }

    BaseUrl.Target target() {
        return call.baseUrl().target();
    }

    boolean isPaced() {
        return paced;
    }

    boolean isDone() {
        return done;
    }

    @Override
    public void read() {
        onLoop(() -> {
            if (connection != null && !done) {
                connection.read();
            }
        });
    }

    @Override
    public void cancel() {
        onLoop(() -> fail(Failures.cancelled(call, null)));
    }

    void startTimer() {
        Duration limit = call.requestTimeout();
        if (limit != null) {
            requestTimer = pool.loop()
                    .schedule(() -> fail(Failures.requestTimeout(call, null)), limit.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    void sentOn(NettyConnection carrier) {
        connection = carrier;
        heard();
        Duration limit = call.readTimeout();
        if (limit != null) {
            watchSilence(limit.toNanos(), limit.toNanos());
        }
    }

    /** Something came from the server. */
    void heard() {
        if (call.readTimeout() != null) {
            lastHeard = System.nanoTime();
        }
    }

    void head(AnswerHead head) {
        if (!done) {
            try {
                handler.onHead(head);
            } catch (Throwable e) {
                fail(Failures.unexpected(pool.options(), call, e));
            }
        }
    }

    void bytes(ByteBuffer piece) {
        if (!done) {
            try {
                handler.onBytes(piece);
            } catch (Throwable e) {
                fail(Failures.unexpected(pool.options(), call, e));
            }
        }
    }

    void end() {
        if (finish()) {
            try {
                handler.onEnd();
            } catch (Throwable e) {
                handler.onFailure(Failures.unexpected(pool.options(), call, e));
            }
        }
    }

    void fail(InferenceException failure) {
        NettyConnection carrier = connection;
        if (finish()) {
            if (carrier != null) {
                carrier.close();
            }
            handler.onFailure(failure);
        }
    }

    private boolean finish() {
        if (done) {
            return false;
        }
        done = true;
        connection = null;
        if (requestTimer != null) {
            requestTimer.cancel(false);
        }
        if (silenceTimer != null) {
            silenceTimer.cancel(false);
        }
        pool.ended(this);
        return true;
    }

    private void watchSilence(long limit, long pause) {
        silenceTimer = pool.loop()
                .schedule(
                        () -> {
                            long left = lastHeard + limit - System.nanoTime();
                            if (left <= 0) {
                                fail(Failures.readTimeout(call, null));
                            } else {
                                watchSilence(limit, left);
                            }
                        },
                        pause,
                        TimeUnit.NANOSECONDS);
    }

    private void onLoop(Runnable action) {
        if (pool.loop().inEventLoop()) {
            action.run();
            return;
        }
        try {
            pool.loop().execute(action);
        } catch (RejectedExecutionException e) {
            // The client was closed, and with it every call.
            done = true;
        }
    }
}
