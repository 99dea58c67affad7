/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.LookListener;
import dev.sglangray.app.monitor.PoolDemand;
import dev.sglangray.app.monitor.PoolDemand.Result;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.thread.Threads;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the engines of a fleet follow its load: decides at each look, and has one change at a time carried out, on a thread of its own that
 * ends with the change. Safe for use by several threads.
 */
public final class Autoscaler implements LookListener {
    private static final Logger LOG = LoggerFactory.getLogger(Autoscaler.class);

    private final Map<String, PoolScaler> scalers = new LinkedHashMap<>();
    private final PoolSizes sizes;
    private final FleetMonitor monitor;
    private final InstantSource clock;
    private final Executor executor;
    private @Nullable PoolChange running;
    private String changed = "";
    private Instant changedAt = Instant.MIN;
    private boolean closed;

    /**
     * Decides nothing before the first look.
     *
     * @param settings those of each pool that is scaled, by its name; at least one
     * @param monitor where its looks come from; its listeners hear what is decided
     */
    public Autoscaler(
            Map<String, AutoscalingSettings> settings, PoolSizes sizes, FleetMonitor monitor, InstantSource clock) {
        this(settings, sizes, monitor, clock, Threads.each("sglang-ray-autoscaling"));
    }

    Autoscaler(
            Map<String, AutoscalingSettings> settings,
            PoolSizes sizes,
            FleetMonitor monitor,
            InstantSource clock,
            Executor executor) {
        this.sizes = sizes;
        this.monitor = monitor;
        this.clock = clock;
        this.executor = executor;
        settings.forEach((pool, its) -> scalers.put(pool, new PoolScaler(pool, its, this::remark)));
    }

    @Override
    public Duration interval() {
        return scalers.values().stream()
                .map(scaler -> scaler.settings().interval())
                .min(Duration::compareTo)
                .orElseThrow();
    }

    @Override
    public boolean wantsLoad() {
        return true;
    }

    @Override
    public void saw(FleetLook look, Duration took, Instant at) {
        List<PoolDemand> demands = new ArrayList<>();
        PoolChange due = null;
        synchronized (this) {
            if (closed) {
                return;
            }
            PoolChange now = running;
            // A look that began before the end of a change may have seen something of it.
            String own = now != null ? now.pool() : at.minus(took).isAfter(changedAt) ? null : changed;
            for (Map.Entry<String, PoolScaler> scaler : scalers.entrySet()) {
                PoolSample sample = PoolSample.of(look, scaler.getKey());
                if (own != null) {
                    // Another pool's change is no reason to begin again: it only has to end.
                    sample = sample.held(Hold.CHANGE, own.equals(scaler.getKey()));
                }
                PoolChange wanted = scaler.getValue().take(sample, at).orElse(null);
                due = due == null ? wanted : due;
                demands.add(scaler.getValue().demand());
            }
            due = now == null ? due : null;
            running = now == null ? due : now;
        }
        demands.forEach(monitor::demand);
        if (due != null) {
            PoolChange change = due;
            try {
                executor.execute(() -> carryOut(change));
            } catch (RuntimeException | Error failure) {
                PoolScaler scaler = Objects.requireNonNull(scalers.get(change.pool()));
                over(change, now -> scaler.failed(change, "no thread for it", now));
                throw failure;
            }
        }
    }

    private void carryOut(PoolChange change) {
        PoolScaler scaler = Objects.requireNonNull(scalers.get(change.pool()));
        try {
            OptionalInt engines = sizes.resize(change, scaler.settings().drain());
            over(
                    change,
                    now -> engines.isPresent() ? scaler.carried(change, engines.getAsInt(), now) : scaler.refused());
        } catch (RuntimeException | Error failure) {
            LOG.warn("{} did not succeed", change.text(), failure);
            String why = Secrets.inText(
                    String.valueOf(failure.getMessage()).lines().findFirst().orElse(""));
            over(change, now -> scaler.failed(change, why, now));
        }
    }

    private void over(PoolChange change, Function<Instant, Result> outcome) {
        Result result;
        synchronized (this) {
            Instant now = clock.instant();
            running = null;
            changed = change.pool();
            changedAt = now;
            result = outcome.apply(now);
        }
        monitor.decided(change.pool(), change.isUp(), result);
    }

    /** The end of a fleet is no event of it. */
    private void remark(String text) {
        if (!closed) {
            sizes.remark(text);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
    }
}
