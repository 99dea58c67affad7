/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import dev.sglangray.app.monitor.PageServer.Page;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/** The browsers that read the page's stream. Each has a thread of its own, so that a slow one holds up no other. Thread-safe. */
final class Browsers {
    /** How many there may be at the same time. */
    static final int MOST = 16;

    /** Also how long it takes to notice that one is gone when nothing changes. */
    private static final Duration HEARTBEAT = Duration.ofSeconds(5);

    private final Board board;
    private final Duration patience;
    private final LongSupplier clock;
    private final Runnable came;
    private final Set<Browser> open = ConcurrentHashMap.newKeySet();

    private static final class Browser {
        private final Thread thread = Thread.currentThread();
        /** Since when a write has been under way; 0 for none. */
        private volatile long writing;
    }

    /**
     * None yet.
     *
     * @param patience how long one write may take
     * @param clock in nanoseconds
     * @param came is run when one came
     */
    Browsers(Board board, Duration patience, LongSupplier clock, Runnable came) {
        this.board = board;
        this.patience = patience;
        this.clock = clock;
        this.came = came;
    }

    boolean watch() {
        return !open.isEmpty();
    }

    /** The stream for one more. */
    Page stream() {
        return open.size() >= MOST
                ? Page.words(503, MOST + " browsers watch this fleet, and there cannot be more; close one of them")
                : Page.of("text/event-stream; charset=utf-8", this::write);
    }

    private void write(OutputStream out) throws IOException {
        Browser browser = new Browser();
        open.add(browser);
        try {
            if (open.size() > MOST) {
                // Several came at the same moment.
                return;
            }
            came.run();
            long seen = 0;
            while (true) {
                Board.News news = board.after(seen, HEARTBEAT);
                String text = news.events().isEmpty() ? ": the owner is there\n\n" : news.events();
                browser.writing = clock.getAsLong();
                out.write(text.getBytes(StandardCharsets.UTF_8));
                out.flush();
                browser.writing = 0;
                seen = news.version();
            }
        } catch (InterruptedException e) {
            // The fleet ends.
            Thread.currentThread().interrupt();
        } finally {
            open.remove(browser);
        }
    }

    /** Ends the streams of those that do not read: what an interrupted thread writes to is closed. */
    void endStuck() {
        for (Browser browser : open) {
            long since = browser.writing;
            if (since != 0 && clock.getAsLong() - since > patience.toNanos()) {
                browser.thread.interrupt();
            }
        }
    }
}
