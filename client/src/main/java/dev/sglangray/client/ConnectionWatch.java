/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.net.InetSocketAddress;
import java.net.Proxy;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.EventListener;

/**
 * Knows whether a call failed before or after it had a connection, which OkHttp's exceptions alone do not tell, and when connections
 * become idle. Thread-safe.
 */
final class ConnectionWatch extends EventListener {
    /** Travels with the request as a tag. */
    static final class State {
        private volatile boolean connected;

        boolean isConnected() {
            return connected;
        }
    }

    private final IdleCheck idle;

    ConnectionWatch(IdleCheck idle) {
        this.idle = idle;
    }

    @Override
    public void connectStart(Call call, InetSocketAddress address, Proxy proxy) {
        set(call, false);
    }

    @Override
    public void connectionAcquired(Call call, Connection connection) {
        set(call, true);
    }

    @Override
    public void connectionReleased(Call call, Connection connection) {
        idle.released(connection);
    }

    private static void set(Call call, boolean connected) {
        State state = call.request().tag(State.class);
        if (state != null) {
            state.connected = connected;
        }
    }
}
