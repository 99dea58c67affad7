/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.config.thread.Threads;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Shows a launch to a person: a line for each thing that happened and, while nothing does, a sign of life: on a terminal
 * a line that is drawn over every second, in a log a new line every fifteen. Safe for use by several threads.
 */
public final class ProgressDisplay implements LaunchListener, AutoCloseable {
    private static final String CLEAR_LINE = "\r\u001b[2K";
    private static final int USUAL_WIDTH = 80;
    private static final Duration LOG_INTERVAL = Duration.ofSeconds(15);
    private static final Duration TERMINAL_INTERVAL = Duration.ofSeconds(1);

    private static final String PHASE = "phase";

    private final Console console;
    private final boolean quiet;
    private final long begin = System.nanoTime();
    private final Map<LaunchPhase, String> running = new EnumMap<>(LaunchPhase.class);
    private final Map<LaunchPhase, Duration> took = new EnumMap<>(LaunchPhase.class);
    private final ScheduledExecutorService ticker;
    private @Nullable String lastNote;
    private boolean drawn;

    public ProgressDisplay(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
        this.ticker = Threads.timer("sglang-ray-progress");
        Duration interval = console.isTerminal() ? TERMINAL_INTERVAL : LOG_INTERVAL;
        if (!quiet) {
            Objects.requireNonNull(ticker.scheduleAtFixedRate(
                    this::tick, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS));
        }
    }

    @Override
    public synchronized void started(LaunchPhase phase, String what) {
        running.put(phase, what);
        line(what + " ...", what, Map.of(PHASE, phase.label()));
    }

    @Override
    public synchronized void ended(LaunchPhase phase, Duration duration) {
        running.remove(phase);
        took.put(phase, duration);
        if (console.isJson()) {
            line("", phase.label() + " is done", Map.of(PHASE, phase.label(), "seconds", seconds(duration)));
        }
    }

    @Override
    public synchronized void note(LaunchPhase phase, String message) {
        if (!message.equals(lastNote)) {
            lastNote = message;
            line(message, message, Map.of(PHASE, phase.label()));
        }
    }

    @Override
    public synchronized void workerReady(String worker, String url, int ready, int of) {
        line(
                worker + " serves at " + url + (of > 1 ? " (" + ready + " of " + of + ")" : ""),
                worker + " serves at " + url,
                Map.of("worker", worker, "url", url, "ready", ready, "of", of));
    }

    /** How long each finished step took. */
    public synchronized Map<LaunchPhase, Duration> phases() {
        return new EnumMap<>(took);
    }

    /** A line that belongs to no step. */
    public synchronized void line(String text) {
        line(text, text, Map.of());
    }

    private void line(String text, String message, Map<String, ?> fields) {
        if (quiet) {
            return;
        }
        if (console.isJson()) {
            Map<String, Object> more = new LinkedHashMap<>(fields);
            more.put("elapsed_s", seconds(Duration.ofNanos(System.nanoTime() - begin)));
            console.say("INFO", message, "", more);
            return;
        }
        erase();
        for (String part : text.split("\n", -1)) {
            console.say(elapsed() + "  " + part);
        }
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    private synchronized void tick() {
        if (running.isEmpty()) {
            return;
        }
        String waiting = Console.visible(String.join("; ", running.values()));
        if (console.isJson()) {
            line("", "still: " + waiting, Map.of());
        } else if (console.isTerminal()) {
            // A line that wraps cannot be drawn over.
            console.draw(CLEAR_LINE + cut(elapsed() + "  … " + waiting, width(System.getenv("COLUMNS"))));
            drawn = true;
        } else {
            console.say(elapsed() + "  still: " + waiting);
        }
    }

    /** The terminal's width as its shell says, else 80 columns. */
    static int width(@Nullable String columns) {
        if (columns != null && columns.strip().matches("[1-9][0-9]{0,3}")) {
            return Integer.parseInt(columns.strip());
        }
        return USUAL_WIDTH;
    }

    /** One column stays free, since some terminals wrap when the last one is written. */
    static String cut(String line, int width) {
        return line.length() < width ? line : line.substring(0, Math.max(0, width - 2)) + "…";
    }

    private void erase() {
        if (drawn) {
            console.draw(CLEAR_LINE);
            drawn = false;
        }
    }

    private String elapsed() {
        return String.format("[%6.1f s]", (System.nanoTime() - begin) / 1e9);
    }

    /** Ends the display. */
    @Override
    public synchronized void close() {
        ticker.shutdownNow();
        erase();
    }
}
