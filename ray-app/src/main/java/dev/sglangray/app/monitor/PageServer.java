/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sglangray.config.thread.Threads;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Answers GET requests with what is at hand; an answer waits for nothing, except one that is written little by little. */
public final class PageServer implements AutoCloseable {
    private static final int THREADS = 4;
    private static final int BACKLOG = 50;
    private static final String MOST_SECONDS = "sun.net.httpserver.maxReqTime";

    private final HttpServer server;
    private final ThreadPoolExecutor threads;

    /** A body that is written little by little, and holds one of the server's threads until it returns. */
    @FunctionalInterface
    public interface Stream {
        /** Writes until the reader is gone, the thread is interrupted, or there is nothing more. */
        void write(OutputStream out) throws IOException;
    }

    /**
     * An answer.
     *
     * @param status the HTTP status
     * @param type the content type
     * @param text the body
     * @param headers further ones
     * @param stream writes the body instead; null for the text
     */
    public record Page(
            int status,
            String type,
            String text,
            Map<String, String> headers,
            @Nullable Stream stream) {
        static final String PLAIN = "text/plain; charset=utf-8";

        /** A text of a content type. */
        public static Page of(int status, String type, String text) {
            return new Page(status, type, text, Map.of(), null);
        }

        /** A body that is written little by little. */
        public static Page of(String type, Stream stream) {
            return new Page(200, type, "", Map.of(), stream);
        }

        /** The same with one more header. */
        public Page with(String name, String value) {
            Map<String, String> more = new LinkedHashMap<>(headers);
            more.put(name, value);
            return new Page(status, type, text, more, stream);
        }

        /** Words for people. */
        public static Page words(int status, String text) {
            return of(status, PLAIN, text + "\n");
        }
    }

    private PageServer(HttpServer server, ThreadPoolExecutor threads) {
        this.server = server;
        this.threads = threads;
    }

    /**
     * Takes the address, and answers nothing yet.
     *
     * @param name what its threads are named after
     * @param streams how many streams are written at the same time
     *
     * @throws IOException when that is not possible
     */
    public static PageServer bind(String name, ListenAddress address, int streams) throws IOException {
        // A client that sends its request slowly would hold a thread for ever; the JDK has this only as a property.
        if (System.getProperty(MOST_SECONDS) == null) {
            System.setProperty(MOST_SECONDS, "10");
        }
        InetSocketAddress at = new InetSocketAddress(InetAddress.getByName(address.host()), address.port());
        HttpServer server = HttpServer.create(at, BACKLOG);
        int most = THREADS + streams;
        ThreadPoolExecutor threads = Threads.pool(name + "-http", most, most, new LinkedBlockingQueue<>());
        server.setExecutor(threads);
        return new PageServer(server, threads);
    }

    /**
     * Answers from now on.
     *
     * @param pages by path; each gets the request's headers
     * @param headers those of every answer
     */
    public void start(Map<String, Function<Headers, Page>> pages, Map<String, String> headers) {
        server.createContext("/", exchange -> answer(exchange, pages, headers));
        // The server's own thread is a daemon when the thread that starts it is one.
        Thread unused = Threads.start("sglang-ray-http-start", server::start);
    }

    private static void answer(
            HttpExchange exchange, Map<String, Function<Headers, Page>> pages, Map<String, String> headers)
            throws IOException {
        try (exchange) {
            Function<Headers, Page> found = pages.get(exchange.getRequestURI().getPath());
            boolean head = exchange.getRequestMethod().equals("HEAD");
            Page page;
            if (!head && !exchange.getRequestMethod().equals("GET")) {
                page = Page.words(405, "only GET and HEAD are answered");
            } else if (found == null) {
                page = Page.words(
                        404,
                        "there is "
                                + String.join(
                                        ", ", pages.keySet().stream().sorted().toList()));
            } else {
                page = found.apply(exchange.getRequestHeaders());
            }
            headers.forEach((name, value) -> exchange.getResponseHeaders().put(name, List.of(value)));
            page.headers()
                    .forEach((name, value) -> exchange.getResponseHeaders().put(name, List.of(value)));
            exchange.getResponseHeaders().put("Content-Type", List.of(page.type()));
            send(exchange, page, head);
        }
    }

    private static void send(HttpExchange exchange, Page page, boolean head) throws IOException {
        byte[] body = page.text().getBytes(StandardCharsets.UTF_8);
        Stream stream = page.stream();
        exchange.sendResponseHeaders(page.status(), head ? -1 : stream == null ? body.length : 0);
        if (head) {
            return;
        }
        if (stream == null) {
            exchange.getResponseBody().write(body);
        } else {
            stream.write(exchange.getResponseBody());
        }
    }

    /** The port that it listens at. */
    public int port() {
        return server.getAddress().getPort();
    }

    /** Listens no more, and interrupts the streams. Harmless when repeated. */
    @Override
    public void close() {
        // First: the server's own thread waits for the others.
        threads.shutdownNow();
        server.stop(0);
    }
}
