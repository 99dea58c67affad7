/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import okhttp3.Connection;
import okhttp3.Interceptor;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/**
 * Looks whether the server has closed an idle connection before a call is sent on it. OkHttp finds out by failing and then sends a
 * second time, which may be what the caller must never have twice. Thread-safe.
 */
final class IdleCheck implements Interceptor {
    /** A shorter pause is not worth the millisecond that the look takes. */
    private static final Duration WORTH_IT = Duration.ofMillis(20);

    private final Map<Connection, Long> idleSince = Collections.synchronizedMap(new WeakHashMap<>());

    void released(Connection connection) {
        idleSince.put(connection, System.nanoTime());
    }

    @Override
    public Response intercept(Chain chain) throws IOException {
        Connection connection = chain.connection();
        Long since = connection == null ? null : idleSince.remove(connection);
        boolean idle = since != null && System.nanoTime() - since >= WORTH_IT.toNanos();
        if (idle && isClosed(connection)) {
            throw new StaleConnectionException();
        }
        return chain.proceed(chain.request());
    }

    private static boolean isClosed(@Nullable Connection connection) throws IOException {
        if (connection == null) {
            return false;
        }
        Socket socket = connection.socket();
        int timeout = socket.getSoTimeout();
        try {
            socket.setSoTimeout(1);
            // The end, or bytes that nobody asked for: not to be used either way.
            int unused = socket.getInputStream().read();
        } catch (SocketTimeoutException e) {
            socket.setSoTimeout(timeout);
            return false;
        } catch (IOException e) {
            // A reset: closed too.
        }
        socket.close();
        return true;
    }

    /** The server has closed the connection; nothing was sent on it. */
    static final class StaleConnectionException extends IOException {
        StaleConnectionException() {
            super("the server has closed the idle connection");
        }
    }
}
