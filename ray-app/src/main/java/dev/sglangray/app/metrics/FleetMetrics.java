/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import dev.sglangray.app.monitor.Episode;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.LookListener;
import dev.sglangray.app.monitor.PageServer;
import dev.sglangray.app.monitor.PageServer.Page;
import dev.sglangray.app.monitor.PoolDemand;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Serves what the looks at a fleet found: {@code /metrics}, {@code /livez}, {@code /readyz} and {@code /sd}. Requests are answered from
 * the last look. Safe for use by several threads.
 */
public final class FleetMetrics implements LookListener {

    /** A look takes a second or so, so after this the owner hangs. */
    private static final Duration STALE = Duration.ofMinutes(1);

    private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final MetricsSettings settings;

    private final InstantSource clock;
    private final FleetMeters meters;
    private final ServiceDiscovery discovery;
    private final PageServer server;
    private volatile Seen seen;
    private volatile Instant tried;

    /**
     * The last look.
     *
     * @param look what there was
     * @param at when it ended; before the first one, when this was opened
     * @param text the metrics then
     * @param any whether there was a look at all
     */
    private record Seen(FleetLook look, Instant at, String text, boolean any) {}

    /**
     * What metrics say of the fleet besides what its workers do.
     *
     * @param name the name that the fleet goes by
     * @param node the address by which Ray knows this node
     * @param router the router's plan, or null
     * @param policies how the engines of a pool are supervised, by its name
     * @param routerPolicy how the router is
     */
    public record Facts(
            String name,
            String node,
            @Nullable RouterPlan router,
            Function<String, SupervisionPolicy> policies,
            SupervisionPolicy routerPolicy) {}

    private FleetMetrics(MetricsSettings settings, Facts facts, InstantSource clock) throws IOException {
        this.settings = settings;

        this.clock = clock;
        meters = new FleetMeters(facts.name(), facts.policies(), facts.routerPolicy());
        tried = clock.instant();
        seen = new Seen(FleetLook.NOTHING, clock.instant(), meters.text(), false);
        server = PageServer.bind("sglang-ray-metrics", settings.address(), 0);
        discovery = new ServiceDiscovery(
                facts.name(), settings.address().authority(facts.node(), server.port()), facts.router());
        server.start(
                Map.of(
                        "/metrics", request -> Page.of(200, METRICS_TYPE, seen.text()),
                        "/livez", request -> livez(),
                        "/readyz", request -> readyz(),
                        "/sd", request -> sd()),
                Map.of());
    }

    /**
     * Begins to serve; looks come from the monitor that this is added to.
     *
     * @throws IOException when the address cannot be listened at
     */
    public static FleetMetrics open(MetricsSettings settings, Facts facts, InstantSource clock) throws IOException {
        return new FleetMetrics(settings, facts, clock);
    }

    @Override
    public Duration interval() {
        return settings.interval();
    }

    @Override
    public void happened(Episode episode) {
        meters.happened(episode);
    }

    @Override
    public void saw(FleetLook look, Duration took, Instant at) {
        meters.take(look, took, at);
        seen = new Seen(look, at, meters.text(), true);
        tried = at;
    }

    @Override
    public void missed(RuntimeException failure, Instant at) {
        meters.failed();
        tried = at;
    }

    /** A page that says so when that is long ago. */
    private Optional<Page> stale(Instant since, String words) {
        Duration age = Duration.between(since, clock.instant());
        return age.compareTo(STALE.plus(settings.interval())) > 0
                ? Optional.of(Page.words(503, words + " for " + age.toSeconds() + " s"))
                : Optional.empty();
    }

    private Page livez() {
        return stale(tried, "the owner has not looked at its fleet").orElseGet(() -> Page.words(200, "ok"));
    }

    private Page readyz() {
        Seen now = seen;
        if (!now.any()) {
            return Page.words(503, "the owner has not looked at its fleet yet");
        }
        return stale(now.at(), "the owner could not look at its fleet")
                .orElseGet(() -> now.look()
                        .unready(settings.readyShare())
                        .map(why -> Page.words(503, why))
                        .orElseGet(() -> Page.words(200, "ok")));
    }

    private Page sd() {
        return Page.of(200, "application/json", discovery.json(seen.look()));
    }

    /** Where it is served, without a slash at its end. */
    public String url() {
        return "http://" + discovery.own();
    }

    @Override
    public void phase(String phase, Duration took) {
        meters.phase(phase, took);
    }

    @Override
    public void scaled(String pool, boolean up, boolean done) {
        meters.scaled(pool, up, done);
    }

    @Override
    public void demand(PoolDemand demand) {
        meters.demand(demand);
    }

    @Override
    public void decided(String pool, boolean up, PoolDemand.Result result) {
        meters.decided(pool, up, result);
    }

    @Override
    public void close() {
        server.close();
    }
}
