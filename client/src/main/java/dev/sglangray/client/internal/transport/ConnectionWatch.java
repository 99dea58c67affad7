/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.internal.http.AnswerHead;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.EventListener;
import org.jspecify.annotations.Nullable;

/**
 * Knows whether a call failed before or after it had a connection, which OkHttp's exceptions alone do not tell, and when connections
 * become idle. Thread-safe.
 */
final class ConnectionWatch extends EventListener {
    /** Travels with the request as a tag. */
    static final class State {
        private volatile @Nullable Connection connection;
        private volatile @Nullable AnswerHead head;
        private volatile Runnable whenCanceled = () -> {};

        boolean isConnected() {
            return connection != null;
        }

        /** The socket that carries the call, or null without one. */
        @Nullable
        Socket socket() {
            Connection carrier = connection;
            return carrier == null ? null : carrier.socket();
        }

        /** The head that the server sent, where OkHttp was shown another one. */
        @Nullable
        AnswerHead head() {
            return head;
        }

        void head(AnswerHead value) {
            head = value;
        }

        /** What to do when the call is cancelled, by its timeout too. */
        void whenCanceled(Runnable action) {
            whenCanceled = action;
        }
    }

    private final IdleCheck idle;

    ConnectionWatch(IdleCheck idle) {
        this.idle = idle;
    }

    @Override
    public void connectStart(Call call, InetSocketAddress address, Proxy proxy) {
        set(call, null);
    }

    @Override
    public void connectionAcquired(Call call, Connection connection) {
        set(call, connection);
    }

    @Override
    public void connectionReleased(Call call, Connection connection) {
        idle.released(connection);
    }

    @Override
    public void canceled(Call call) {
        State state = call.request().tag(State.class);
        if (state != null) {
            state.whenCanceled.run();
        }
    }

    private static void set(Call call, @Nullable Connection connection) {
        State state = call.request().tag(State.class);
        if (state != null) {
            state.connection = connection;
        }
    }
}
