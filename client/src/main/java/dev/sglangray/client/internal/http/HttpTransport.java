/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import dev.sglangray.client.RequestCancelledException;
import dev.sglangray.client.internal.transport.NettyTransport;
import dev.sglangray.client.internal.transport.OkHttpTransport;
import java.time.Duration;

/**
 * Sends HTTP calls, each once: no retries, no reading of bodies. Thread-safe. There are two: {@link OkHttpTransport} has a thread
 * for each call under way, {@link NettyTransport} a few event loops for all of them.
 */
public interface HttpTransport extends AutoCloseable {
    /**
     * Starts a call and returns at once. The handler hears of the answer on a thread of the transport, and of exactly one end.
     *
     * @param paced whether the body is read only as far as {@link Exchange#read} asks; otherwise it flows
     * @throws IllegalArgumentException if the path or a header cannot be sent
     */
    Exchange start(HttpCall call, boolean paced, AnswerHandler handler);

    /**
     * Runs {@code action} once on a thread of the transport, after a pause that may be zero; if the transport is closed meanwhile,
     * at once. It must not block and must not throw.
     */
    void after(Duration pause, Runnable action);

    /** Ends the calls under way with a {@link RequestCancelledException} and frees sockets and threads. Idempotent. */
    @Override
    void close();

    /** A call under way. Thread-safe, never blocks. */
    interface Exchange {
        /** Reads some more of the body of a paced call, or does nothing. */
        void read();

        /** Ends the call with a {@link RequestCancelledException} and closes its connection. Does nothing after the end. */
        void cancel();
    }
}
