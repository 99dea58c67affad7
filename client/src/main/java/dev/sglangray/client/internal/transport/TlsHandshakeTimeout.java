/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import javax.net.ssl.SSLSocketFactory;

/**
 * Makes TLS sockets whose server may not be silent for longer than a limit. OkHttp gives the handshake the limit for reading answers,
 * which is none, and sets that again before it sends the first request. Thread-safe.
 */
final class TlsHandshakeTimeout extends SSLSocketFactory {
    private final SSLSocketFactory sockets;
    private final int millis;

    TlsHandshakeTimeout(SSLSocketFactory sockets, Duration limit) {
        this.sockets = sockets;
        this.millis = (int) Math.max(1, Math.min(Integer.MAX_VALUE, limit.toMillis()));
    }

    @Override
    public Socket createSocket(Socket connected, String host, int port, boolean autoClose) throws IOException {
        connected.setSoTimeout(millis);
        return sockets.createSocket(connected, host, port, autoClose);
    }

    @Override
    public Socket createSocket(String host, int port) throws IOException {
        return sockets.createSocket(host, port);
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress localHost, int localPort) throws IOException {
        return sockets.createSocket(host, port, localHost, localPort);
    }

    @Override
    public Socket createSocket(InetAddress host, int port) throws IOException {
        return sockets.createSocket(host, port);
    }

    @Override
    public Socket createSocket(InetAddress address, int port, InetAddress localAddress, int localPort)
            throws IOException {
        return sockets.createSocket(address, port, localAddress, localPort);
    }

    @Override
    public String[] getDefaultCipherSuites() {
        return sockets.getDefaultCipherSuites();
    }

    @Override
    public String[] getSupportedCipherSuites() {
        return sockets.getSupportedCipherSuites();
    }
}
