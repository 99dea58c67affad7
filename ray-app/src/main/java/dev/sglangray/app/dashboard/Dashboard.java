/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import com.sun.net.httpserver.Headers;
import dev.sglangray.app.monitor.Episode;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.LookListener;
import dev.sglangray.app.monitor.PageServer;
import dev.sglangray.app.monitor.PageServer.Page;
import dev.sglangray.app.monitor.TrainerStep;
import dev.sglangray.config.TreeView;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Serves a fleet's page: the document at {@code /}, and what changes as server-sent events at {@code /stream}. Looks are wanted every
 * second while a browser watches. Safe for use by several threads.
 */
public final class Dashboard implements LookListener {
    private static final Duration WATCHED = Duration.ofSeconds(1);
    /** Often enough for events of workers that end meanwhile. */
    private static final Duration UNWATCHED = Duration.ofMinutes(1);
    /** How long one write to a browser may take. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    private static final Map<String, String> HEADERS = Map.of(
            "X-Content-Type-Options", "nosniff",
            "Cache-Control", "no-store",
            "Referrer-Policy", "no-referrer");

    private final InstantSource clock;
    private final FleetBoard fleet;
    private final Browsers browsers;
    private final PageServer server;
    private final String url;
    private final Guard guard;

    /**
     * What the page says of the fleet besides what its workers do.
     *
     * @param name the name that the fleet goes by
     * @param namespace its Ray namespace
     * @param node the address by which Ray knows this node
     * @param key what a request for data must bring; null for nothing
     * @param metricsUrl where metrics are served, or null
     * @param configuration with the origin of each value, secrets hidden
     */
    public record Facts(
            String name,
            String namespace,
            String node,
            @Nullable String key,
            @Nullable String metricsUrl,
            List<TreeView.Row> configuration) {
        /** Copies the list. */
        public Facts {
            configuration = List.copyOf(configuration);
        }

        /** Without the key. */
        @Override
        public String toString() {
            return "Facts[" + name + "]";
        }
    }

    private Dashboard(DashboardSettings settings, Facts facts, InstantSource clock, Runnable look, Duration patience)
            throws IOException {
        this.clock = clock;
        Board board = new Board();
        fleet = new FleetBoard(board, facts);
        browsers = new Browsers(board, patience, System::nanoTime, look);
        guard = new Guard(facts.key(), settings.address().isLoopback());
        Page document = Document.page();
        server = PageServer.bind("sglang-ray-dashboard", settings.address(), Browsers.MOST);
        url = "http://" + settings.address().authority(facts.node(), server.port());
        server.start(
                Map.of("/", headers -> guard.refusesDocument(headers).orElse(document), "/stream", this::stream),
                HEADERS);
    }

    private Page stream(Headers headers) {
        return guard.refusesData(headers).orElseGet(browsers::stream);
    }

    /**
     * Begins to serve; looks come from the monitor that this is added to.
     *
     * @param look asks for a look at once
     * @throws IOException when the address cannot be listened at
     */
    public static Dashboard open(DashboardSettings settings, Facts facts, InstantSource clock, Runnable look)
            throws IOException {
        return open(settings, facts, clock, look, PATIENCE);
    }

    static Dashboard open(
            DashboardSettings settings, Facts facts, InstantSource clock, Runnable look, Duration patience)
            throws IOException {
        return new Dashboard(settings, facts, clock, look, patience);
    }

    /** Whether only programs of this node reach it. */
    public boolean loopback() {
        return guard.loopback();
    }

    /** Where it is served, without a slash at its end. */
    public String url() {
        return url;
    }

    @Override
    public Duration interval() {
        return browsers.watch() ? WATCHED : UNWATCHED;
    }

    @Override
    public boolean wantsLoad() {
        return browsers.watch();
    }

    @Override
    public void saw(FleetLook look, Duration took, Instant at) {
        browsers.endStuck();
        fleet.take(look, at);
    }

    @Override
    public void missed(RuntimeException failure, Instant at) {
        browsers.endStuck();
        fleet.missed(String.valueOf(failure.getMessage()), at);
    }

    @Override
    public void phaseBegan(String phase, String what) {
        fleet.begins(phase, what, clock.instant());
    }

    @Override
    public void phase(String phase, Duration took) {
        fleet.ended(phase, took);
    }

    @Override
    public void launched(Optional<String> failure) {
        if (failure.isEmpty()) {
            fleet.launched();
        }
    }

    @Override
    public void happened(Episode episode) {
        fleet.happened(episode);
    }

    @Override
    public void reported(TrainerStep step) {
        fleet.reported(step);
    }

    @Override
    public void close() {
        server.close();
    }
}
