/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** A port that takes no further connection, because its queue is full: connecting to it takes for ever. */
final class FullServer implements AutoCloseable {
    private final ServerSocket socket;
    private final List<SocketChannel> queued = new ArrayList<>();

    FullServer() throws IOException {
        socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        // Linux queues one more than it is told; the others wait, as the client will.
        for (int i = 0; i < 4; i++) {
            SocketChannel channel = SocketChannel.open();
            channel.configureBlocking(false);
            channel.connect(socket.getLocalSocketAddress());
            queued.add(channel);
        }
    }

    int port() {
        return socket.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        for (SocketChannel channel : queued) {
            channel.close();
        }
        socket.close();
    }
}
