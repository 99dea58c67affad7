/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.InferenceException;
import dev.sglangray.client.RequestCancelledException;
import dev.sglangray.client.internal.http.AnswerHandler;
import dev.sglangray.client.internal.http.AnswerHead;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.http.HttpCall;
import io.netty.util.concurrent.Future;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One call on event loops: waiting for a loop that may carry it, waiting for a connection there, on one, or done. {@link #read},
 * {@link #cancel} and {@link #refuse} may be called anywhere; while it waits for a loop, the admission guards it; all else runs on
 * its loop.
 */
public final class NettyExchange {
    private final HttpCall call;
    private final boolean paced;
    private final AnswerHandler handler;
    private final NettyAdmission admission;
    private final NettyPool home;
    private volatile @Nullable NettyPool pool;
    private @Nullable NettyConnection connection;
    private @Nullable Future<?> requestTimer;
    private @Nullable Future<?> silenceTimer;
    private long lastHeard;
    private boolean done;

    NettyExchange(HttpCall call, boolean paced, AnswerHandler handler, NettyAdmission admission, NettyPool home) {
        this.call = call;
        this.paced = paced;
        this.handler = handler;
        this.admission = admission;
        this.home = home;
    }

    /** Where its timer runs, and what becomes of it before it has a loop. */
    NettyPool home() {
        return home;
    }

    /** It has a loop. */
    void runsOn(NettyPool chosen) {
        pool = chosen;
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

    /** Reads some more of the body of a paced call, or does nothing. Never blocks. */
    public void read() {
        onLoop(pool, () -> {
            if (connection != null && !done) {
                heard(); // Its silence counts from now.
                connection.read();
            }
        });
    }

    /** Ends the call with a {@link RequestCancelledException} and closes its connection. Does nothing after the end. Never blocks. */
    public void cancel() {
        giveUp(Failures.cancelled(call, null));
    }

    /** The client is closed. */
    void refuse() {
        onLoop(home, () -> fail(Failures.closed()));
    }

    /** False if the client is closed. */
    boolean startTimer() {
        Duration limit = call.requestTimeout();
        if (limit != null) {
            try {
                requestTimer = home.loop()
                        .schedule(
                                () -> giveUp(Failures.requestTimeout(call, null)),
                                limit.toNanos(),
                                TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException e) {
                return false;
            }
        }
        return true;
    }

    private void giveUp(InferenceException failure) {
        // Only this class knows of one that waited still.
        onLoop(admission.leave(this) ? home : pool, () -> fail(failure));
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
        hand(() -> handler.onHead(head));
    }

    void bytes(ByteBuffer piece) {
        hand(() -> handler.onBytes(piece));
    }

    private void hand(Runnable part) {
        if (!done) {
            try {
                part.run();
            } catch (Throwable e) {
                fail(Failures.unexpected(home.options(), call, e));
            }
        }
    }

    void end() {
        if (finish()) {
            try {
                handler.onEnd();
            } catch (Throwable e) {
                handler.onFailure(Failures.unexpected(home.options(), call, e));
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
        NettyPool carrier = pool;
        if (carrier != null) {
            carrier.ended(this);
        }
        return true;
    }

    private void watchSilence(long limit, long pause) {
        NettyPool carrier = pool == null ? home : pool;
        silenceTimer = carrier.loop()
                .schedule(
                        () -> {
                            NettyConnection listening = connection;
                            long left = lastHeard + limit - System.nanoTime();
                            if (left > 0) {
                                watchSilence(limit, left);
                            } else if (listening != null && !listening.isListening()) {
                                watchSilence(limit, limit); // It is not the server that is slow.
                            } else {
                                fail(Failures.readTimeout(call, null));
                            }
                        },
                        pause,
                        TimeUnit.NANOSECONDS);
    }

    private void onLoop(@Nullable NettyPool where, Runnable action) {
        if (where == null) {
            return;
        }
        if (where.loop().inEventLoop()) {
            action.run();
            return;
        }
        try {
            where.loop().execute(action);
        } catch (RejectedExecutionException e) {
            action.run(); // The client was closed, and its loops have ended: nothing else runs there.
        }
    }
}
