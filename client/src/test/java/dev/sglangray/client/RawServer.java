/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/** A server that reads one request's head per connection, writes given bytes and ends the connection in a chosen way. */
final class RawServer implements AutoCloseable {
    /** How a connection ends after the bytes were written. */
    enum End {
        /** In order. */
        CLOSE,
        /** With a TCP reset, as when a process dies with unread input. */
        RESET,
        /** Not at all, until the server is closed. */
        SILENCE
    }

    private final ServerSocket socket;
    private final BlockingQueue<String> heads = new LinkedBlockingQueue<>();
    private final CountDownLatch closing = new CountDownLatch(1);

    RawServer(String answer, End end) {
        try {
            socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread thread = new Thread(() -> serve(answer, end), "raw-server");
        thread.setDaemon(true);
        thread.start();
    }

    String url() {
        return "http://127.0.0.1:" + socket.getLocalPort();
    }

    /** The request line and headers of the requests so far, oldest first. */
    BlockingQueue<String> heads() {
        return heads;
    }

    @Override
    public void close() throws IOException {
        closing.countDown();
        socket.close();
    }

    private void serve(String answer, End end) {
        while (!socket.isClosed()) {
            try (Socket connection = socket.accept()) {
                heads.add(readHead(connection));
                connection.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
                connection.getOutputStream().flush();
                if (end == End.SILENCE) {
                    closing.await();
                } else if (end == End.RESET) {
                    connection.setSoLinger(true, 0);
                }
            } catch (IOException e) {
                // The server was closed, or the client went away: both are wanted here.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static String readHead(Socket connection) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = connection.getInputStream().read();
            if (next < 0) {
                break;
            }
            head.append((char) next);
        }
        return head.toString();
    }
}
