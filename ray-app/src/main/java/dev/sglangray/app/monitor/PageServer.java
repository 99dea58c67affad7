/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sglangray.config.thread.Threads;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Supplier;

/** Answers GET requests with what is at hand; an answer waits for nothing. */
public final class PageServer implements AutoCloseable {
    private static final int THREADS = 4;
    private static final int BACKLOG = 50;

    private final HttpServer server;
    private final ThreadPoolExecutor threads;

    /**
     * An answer.
     *
     * @param status the HTTP status
     * @param type the content type
     * @param text the body
     */
    public record Page(int status, String type, String text) {
        static final String PLAIN = "text/plain; charset=utf-8";

        /** Words for people. */
        public static Page words(int status, String text) {
            return new Page(status, PLAIN, text + "\n");
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
     *
     * @throws IOException when that is not possible
     */
    public static PageServer bind(String name, String host, int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName(host), port), BACKLOG);
        ThreadPoolExecutor threads = Threads.pool(name + "-http", THREADS, THREADS, new LinkedBlockingQueue<>());
        server.setExecutor(threads);
        return new PageServer(server, threads);
    }

    /** Answers from now on; pages by path. */
    public void start(Map<String, Supplier<Page>> pages) {
        server.createContext("/", exchange -> answer(exchange, pages));
        // The server's own thread is a daemon when the thread that starts it is one.
        Thread unused = Threads.start("sglang-ray-http-start", server::start);
    }

    private static void answer(HttpExchange exchange, Map<String, Supplier<Page>> pages) throws IOException {
        try (exchange) {
            Supplier<Page> found = pages.get(exchange.getRequestURI().getPath());
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
                page = found.get();
            }
            byte[] body = page.text().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().put("Content-Type", List.of(page.type()));
            exchange.sendResponseHeaders(page.status(), head ? -1 : body.length);
            if (!head) {
                exchange.getResponseBody().write(body);
            }
        }
    }

    /** The port that it listens at. */
    public int port() {
        return server.getAddress().getPort();
    }

    /** Listens no more. Harmless when repeated. */
    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
