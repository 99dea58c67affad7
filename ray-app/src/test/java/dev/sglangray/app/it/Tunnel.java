/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A port of this machine that leads to a port of the loopback of a cluster's head, as {@code ssh -L} makes one. */
final class Tunnel implements AutoCloseable {
    private static final int BUFFER = 65536;

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
                daemon(() -> copyIn(outer, inner));
                daemon(() -> copyOut(outer, inner));
            } catch (IOException e) {
                // It is closed, or the relay is gone.
            }
        }
    }

    private static void copyIn(Socket outer, SocketChannel inner) {
        byte[] bytes = new byte[BUFFER];
        try (outer;
                inner) {
            for (int n = outer.getInputStream().read(bytes);
                    n >= 0;
                    n = outer.getInputStream().read(bytes)) {
                ByteBuffer rest = ByteBuffer.wrap(bytes, 0, n);
                while (rest.hasRemaining()) {
                    var unused = inner.write(rest);
                }
            }
        } catch (IOException e) {
            // One side is gone, and the other is closed with it.
        }
    }

    // Not by streams of the channel: one that reads keeps the other from writing.
    private static void copyOut(Socket outer, SocketChannel inner) {
        ByteBuffer bytes = ByteBuffer.allocate(BUFFER);
        try (outer;
                inner) {
            while (inner.read(bytes) >= 0) {
                outer.getOutputStream().write(bytes.array(), 0, bytes.position());
                bytes.clear();
            }
        } catch (IOException e) {
            // As above.
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
