/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import dev.sglangray.app.metrics.MetricsServer.Page;
import dev.sglangray.config.thread.Threads;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at a fleet regularly and serves what it saw: {@code /metrics}, {@code /livez}, {@code /readyz} and {@code /sd}. Requests are
 * answered from the last look. Safe for use by several threads.
 */
public final class FleetMetrics implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FleetMetrics.class);
    /** A look takes 10 s at most, so after this the owner hangs. */
    private static final Duration STALE = Duration.ofMinutes(1);

    private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final MetricsSettings settings;
    private final FleetSource source;
    private final InstantSource clock;
    private final FleetMeters meters;
    private final ServiceDiscovery discovery;
    private final MetricsServer server;
    private final CountDownLatch closed = new CountDownLatch(1);
    private String problem = "";
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

    private FleetMetrics(MetricsSettings settings, Facts facts, FleetSource source, InstantSource clock)
            throws IOException {
        this.settings = settings;
        this.source = source;
        this.clock = clock;
        meters = new FleetMeters(facts.name(), clock.instant(), facts.policies(), facts.routerPolicy());
        tried = clock.instant();
        seen = new Seen(FleetLook.NOTHING, clock.instant(), meters.text(), false);
        Map<String, Supplier<Page>> pages = Map.of(
                "/metrics", () -> new Page(200, METRICS_TYPE, seen.text()),
                "/livez", this::livez,
                "/readyz", this::readyz,
                "/sd", this::sd);
        server = MetricsServer.bind(settings.host(), settings.port());
        boolean all = InetAddress.getByName(settings.host()).isAnyLocalAddress();
        discovery = new ServiceDiscovery(
                facts.name(),
                ServiceDiscovery.address(all ? facts.node() : settings.host(), server.port()),
                facts.router());
        server.start(pages);
    }

    /**
     * Begins to look and to serve.
     *
     * @throws IOException when the address cannot be listened at
     */
    public static FleetMetrics open(MetricsSettings settings, Facts facts, FleetFeed feed) throws IOException {
        FleetMetrics metrics = new FleetMetrics(settings, facts, feed, InstantSource.system());
        Thread unused = Threads.start("sglang-ray-metrics", metrics::run);
        return metrics;
    }

    /** As {@link #open}, but looks are the caller's to make. */
    static FleetMetrics still(MetricsSettings settings, Facts facts, FleetSource source, InstantSource clock)
            throws IOException {
        return new FleetMetrics(settings, facts, source, clock);
    }

    private void run() {
        try {
            while (!source.isOver()) {
                look();
                if (closed.await(settings.interval().toMillis(), TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            server.close();
        }
    }

    /** One look. After a failure the next one tries again. */
    void look() {
        long begin = System.nanoTime();
        try {
            FleetLook look = source.look(meters::from);
            Instant now = clock.instant();
            meters.take(look, Duration.ofNanos(System.nanoTime() - begin), now);
            seen = new Seen(look, now, meters.text(), true);
            problem = "";
        } catch (RuntimeException failure) {
            meters.failed();
            if (!problem.equals(failure.toString())) {
                problem = failure.toString();
                LOG.warn("the metrics cannot look at the fleet at the moment; the next look tries again", failure);
            }
        }
        tried = clock.instant();
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
        return new Page(200, "application/json", discovery.json(seen.look()));
    }

    /** Where it is served, without a slash at its end. */
    public String url() {
        return "http://" + discovery.own();
    }

    /** A phase of a launch or of a change of size is over. */
    public void phase(String phase, Duration took) {
        meters.phase(phase, took);
    }

    /** A change of a pool's size is over. */
    public void scaled(String pool, boolean up, boolean done) {
        meters.scaled(pool, up, done);
    }

    /** Looks no more and serves no more. Harmless when repeated. */
    @Override
    public void close() {
        closed.countDown();
        server.close();
    }
}
