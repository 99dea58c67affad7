/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.tracing;

import dev.sglangray.app.monitor.Episode;
import dev.sglangray.app.monitor.Episode.OutOfService;
import dev.sglangray.app.monitor.Episode.Restart;
import dev.sglangray.app.monitor.Episode.Update;
import dev.sglangray.app.monitor.Episode.UpdatePhase;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.LookListener;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends what happens to a fleet as traces: {@code launch}, {@code scale}, {@code update weights}, each with its parts, and {@code
 * restart}. Spans are made when what they describe is over, or its first part is. Safe for use by several threads.
 */
public final class FleetTracer implements LookListener {
    private static final AttributeKey<String> FLEET = AttributeKey.stringKey("sglang_ray.fleet");
    private static final AttributeKey<String> WORKER = AttributeKey.stringKey("sglang_ray.worker");
    private static final AttributeKey<String> POOL = AttributeKey.stringKey("sglang_ray.pool");
    private static final AttributeKey<String> CAUSE = AttributeKey.stringKey("sglang_ray.cause");
    private static final AttributeKey<String> VERSION = AttributeKey.stringKey("sglang_ray.weight_version");
    private static final AttributeKey<String> URL = AttributeKey.stringKey("url.full");
    private static final AttributeKey<String> SERVICE = AttributeKey.stringKey("service.name");
    private static final AttributeKey<String> DIRECTION = AttributeKey.stringKey("sglang_ray.direction");
    /** An update of which nothing more is heard is over. */
    private static final Duration LONGEST_UPDATE = Duration.ofMinutes(30);
    /** At the end of the fleet, for what was not sent yet. */
    private static final Duration FAREWELL = Duration.ofSeconds(5);

    private final SdkTracerProvider provider;
    private final Tracer tracer;
    private final InstantSource clock;
    /** The launch, or a change of size that is under way. */
    private @Nullable Span change;

    private Instant phaseBegan;
    private @Nullable Span update;
    private Instant updateEnd;
    private boolean applied;
    /** The engines that get weights at the moment, and those that got some in this update. */
    private final Map<String, Boolean> updating = new HashMap<>();

    private boolean closed;

    private FleetTracer(String fleet, String begin, SpanExporter exporter, InstantSource clock) {
        this.clock = clock;
        phaseBegan = clock.instant();
        updateEnd = phaseBegan;
        provider = SdkTracerProvider.builder()
                .setResource(Resource.getDefault()
                        .merge(Resource.create(Attributes.of(SERVICE, "sglang-ray", FLEET, fleet))))
                .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
                .build();
        tracer = provider.get("dev.sglangray");
        change = start(begin, phaseBegan, null, Attributes.empty());
    }

    /**
     * Begins the trace of a launch.
     *
     * @param fleet the name that the fleet goes by
     * @param begin what begins with it, {@code launch} or {@code take over}
     */
    public static FleetTracer open(TracingSettings settings, String fleet, String begin, InstantSource clock) {
        SpanExporter exporter = OtlpGrpcSpanExporter.builder()
                .setEndpoint(settings.endpoint().toString())
                .build();
        return new FleetTracer(fleet, begin, new ReportingExporter(exporter, settings.endpoint()), clock);
    }

    /** As {@link #open}, with another way out. */
    static FleetTracer to(SpanExporter exporter, String fleet, String begin, InstantSource clock) {
        return new FleetTracer(fleet, begin, exporter, clock);
    }

    private Span start(String name, Instant begin, @Nullable Span parent, Attributes attributes) {
        return tracer.spanBuilder(name)
                .setParent(parent == null ? Context.root() : Context.root().with(parent))
                .setStartTimestamp(begin)
                .setAllAttributes(attributes)
                .startSpan();
    }

    private void whole(String name, Instant begin, Instant end, @Nullable Span parent, Attributes attributes) {
        start(name, begin, parent, attributes).end(end.isBefore(begin) ? begin : end);
    }

    /** It wants no look of its own, but every event of those that others want. */
    @Override
    public Duration interval() {
        return Duration.ofSeconds(5);
    }

    @Override
    public synchronized void phaseBegan(String phase, String what) {
        phaseBegan = clock.instant();
        if (change == null) {
            change = start("scale", phaseBegan, null, Attributes.empty());
        }
    }

    @Override
    public synchronized void phase(String phase, Duration took) {
        Instant now = clock.instant();
        whole(phase, now.minus(took), now, change, Attributes.empty());
    }

    @Override
    public synchronized void workerReady(String worker, String url) {
        whole("start worker", phaseBegan, clock.instant(), change, Attributes.of(WORKER, worker, URL, url));
    }

    @Override
    public synchronized void launched(Optional<String> failure) {
        endChange(failure);
    }

    @Override
    public synchronized void scaled(String pool, boolean up, boolean done) {
        Span ending = change;
        if (ending != null) {
            ending.setAttribute(POOL, pool);
            ending.setAttribute(DIRECTION, up ? "up" : "down");
        }
        endChange(done ? Optional.empty() : Optional.of("the change of size failed; the log of its caller says why"));
    }

    private void endChange(Optional<String> failure) {
        Span ending = change;
        if (ending != null) {
            failure.ifPresent(why -> ending.setStatus(StatusCode.ERROR, why));
            ending.end(clock.instant());
        }
        change = null;
    }

    @Override
    public synchronized void happened(Episode episode) {
        Attributes worker = Attributes.of(WORKER, episode.worker(), POOL, episode.pool());
        if (episode.what() instanceof Restart restart) {
            whole(
                    episode.isEngine() ? "restart engine" : "restart router",
                    episode.begin(),
                    episode.end(),
                    null,
                    worker.toBuilder().put(CAUSE, lower(restart.cause().name())).build());
            return;
        }
        if (episode.what() instanceof OutOfService) {
            // Requests are sent to it again, whether it got weights or not.
            updating.computeIfPresent(episode.worker(), (name, under) -> false);
            return;
        }
        if (episode.what() instanceof Update part) {
            Span whole = update;
            if (whole == null) {
                whole = start("update weights", episode.begin(), null, Attributes.empty());
                update = whole;
            }
            whole(lower(part.phase().name()), episode.begin(), episode.end(), whole, worker);
            updating.put(episode.worker(), part.phase() != UpdatePhase.RETURN);
            applied |= part.phase() == UpdatePhase.LOAD;
            updateEnd = episode.end().isAfter(updateEnd) ? episode.end() : updateEnd;
        }
    }

    @Override
    public synchronized void saw(FleetLook look, Duration took, Instant at) {
        if (update == null) {
            return;
        }
        updating.replaceAll((worker, under) -> under && isUnderWay(look, worker));
        boolean over = !updating.containsValue(true);
        if (over || Duration.between(updateEnd, at).compareTo(LONGEST_UPDATE) > 0) {
            look.engines().stream()
                    .filter(engine -> updating.containsKey(engine.worker().name()))
                    .map(engine -> engine.worker().status())
                    .flatMap(status -> status == null
                            ? Optional.<String>empty().stream()
                            : Optional.ofNullable(status.service().weightVersion()).stream())
                    .findFirst()
                    .ifPresentOrElse(version -> endUpdate(version, over), () -> endUpdate("", over));
        }
    }

    /** Not any more when the engine is gone, or serves where no router says so. */
    private static boolean isUnderWay(FleetLook look, String worker) {
        return look.engines().stream()
                .filter(engine -> engine.worker().name().equals(worker))
                .anyMatch(engine -> look.router() != null || !look.serves(engine));
    }

    private void endUpdate(String version, boolean whole) {
        Span ending = update;
        if (ending != null) {
            ending.setAttribute(VERSION, version);
            if (!whole) {
                ending.setStatus(StatusCode.ERROR, "not all engines came back");
            } else if (!applied) {
                ending.setStatus(StatusCode.ERROR, "the update was given up");
            }
            ending.end(updateEnd);
        }
        update = null;
        applied = false;
        updating.clear();
    }

    /** Sends what was not sent yet, for 5 s at most. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            endChange(Optional.of("the fleet ended meanwhile"));
            endUpdate("", false);
        }
        var unused = provider.shutdown().join(FAREWELL.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static String lower(String word) {
        return word.toLowerCase(Locale.ROOT);
    }
}
