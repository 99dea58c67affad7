/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that answers with a script, one thread a connection. It counts connections and sees whether the client hung up. */
public final class FaultServer implements AutoCloseable {
    /** What happens on a connection, after each request's head and body were read. */
    public interface Script {
        void play(Connection connection) throws IOException, InterruptedException;
    }

    private final ServerSocket socket;
    private final Script script;
    private final boolean early;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicInteger requests = new AtomicInteger();

    public FaultServer(Script script) {
        this(script, false);
    }

    private FaultServer(Script script, boolean early) {
        this.script = script;
        this.early = early;
        try {
            socket = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon(this::accept, "fault-server");
    }

    /** A server whose script is played once for each connection, before anything of a request is read. */
    static FaultServer early(Script script) {
        return new FaultServer(script, true);
    }

    public String url() {
        return "http://127.0.0.1:" + socket.getLocalPort();
    }

    int port() {
        return socket.getLocalPort();
    }

    int accepted() {
        return accepted.get();
    }

    int requests() {
        return requests.get();
    }

    /** Connections that neither side has closed. */
    int openConnections() {
        return open.size();
    }

    @Override
    public void close() throws IOException {
        closing.countDown();
        socket.close();
        for (Socket connection : open) {
            connection.close();
        }
    }

    private void accept() {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                accepted.incrementAndGet();
                open.add(connection);
                daemon(() -> serve(connection), "fault-server-connection");
            } catch (IOException e) {
                return; // Closed.
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            Connection connection = new Connection(socket);
            if (early) {
                script.play(connection);
                return;
            }
            while (connection.readRequest()) {
                requests.incrementAndGet();
                script.play(connection);
            }
        } catch (IOException e) {
            // The client went away or the script closed the connection: both are wanted here.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(socket);
        }
    }

    private static void daemon(Runnable action, String name) {
        Thread thread = new Thread(action, name);
        thread.setDaemon(true);
        thread.start();
    }

    /** A connection as a script sees it. */
    public final class Connection {
        private final Socket socket;
        private final InputStream in;
        private final OutputStream out;
        private String head = "";
        private byte[] body = {};

        Connection(Socket socket) throws IOException {
            this.socket = socket;
            this.in = socket.getInputStream();
            this.out = socket.getOutputStream();
        }

        String head() {
            return head;
        }

        /** The body of the last request. */
        byte[] body() {
            return body;
        }

        void write(String text) throws IOException {
            write(text.getBytes(StandardCharsets.UTF_8));
        }

        void write(byte[] bytes) throws IOException {
            out.write(bytes);
            out.flush();
        }

        public void answer(String json) throws IOException {
            byte[] body = json.getBytes(StandardCharsets.UTF_8);
            write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n"
                    + json);
        }

        /** Reads some of what has come, whatever it is. */
        void readSome(int length) throws IOException {
            in.readNBytes(length);
        }

        byte[] read(int length) throws IOException {
            return in.readNBytes(length);
        }

        void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        void close() throws IOException {
            socket.close();
        }

        void closeOutput() throws IOException {
            socket.shutdownOutput();
        }

        /** Waits until the client hangs up or the server is closed. */
        void awaitHangUp() throws IOException {
            var unused = in.transferTo(OutputStream.nullOutputStream());
        }

        /** Waits; shorter if the server is closed. */
        void pause(long millis) throws InterruptedException {
            var unused = closing.await(millis, TimeUnit.MILLISECONDS);
        }

        /** Reads the head of a request; the length of its body, or -1 when the client has hung up. */
        int readHead() throws IOException {
            StringBuilder text = new StringBuilder();
            while (text.indexOf("\r\n\r\n") < 0) {
                int next = in.read();
                if (next < 0) {
                    return -1;
                }
                text.append((char) next);
            }
            head = text.toString();
            int length = 0;
            for (String line : head.split("\r\n", -1)) {
                if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                    length = Integer.parseInt(line.substring(15).strip());
                }
            }
            return length;
        }

        private boolean readRequest() throws IOException {
            int length = readHead();
            if (length < 0) {
                return false;
            }
            body = in.readNBytes(length);
            return true;
        }
    }
}
