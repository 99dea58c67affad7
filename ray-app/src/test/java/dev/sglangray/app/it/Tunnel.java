/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A port of this machine that leads to a port of the loopback of a cluster's head, as {@code ssh -L} makes one. */
final class Tunnel implements AutoCloseable {
    private final ServerSocket server;
    private final InsideProcess relay;
    private final Path path;

    Tunnel(TestCluster cluster, int port) throws IOException {
        path = cluster.logs().resolve("relay-" + port + ".socket");
        relay = cluster.spawn(
                cluster.head(),
                List.of(
                        cluster.python().python().toString(),
                        Cli.config("relay.py").toString(),
                        path.toString(),
                        Integer.toString(port)),
                Map.of());
        relay.awaitOutput("relays", Cli.DEADLINE);
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    /** Where it listens. */
    String url() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket outer = server.accept();
                SocketChannel inner = SocketChannel.open(UnixDomainSocketAddress.of(path));
                daemon(() -> copy(outer, inner, true));
                daemon(() -> copy(outer, inner, false));
            } catch (IOException e) {
                // It is closed, or the relay is gone.
            }
        }
    }

    private static void copy(Socket outer, SocketChannel inner, boolean inwards) {
        try (outer;
                inner) {
            InputStream from = inwards ? outer.getInputStream() : Channels.newInputStream(inner);
            OutputStream to = inwards ? Channels.newOutputStream(inner) : outer.getOutputStream();
            from.transferTo(to);
        } catch (IOException e) {
            // One side is gone, and the other is closed with it.
        }
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "tunnel");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        relay.close();
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
