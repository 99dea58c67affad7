/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import dev.sglangray.app.monitor.PoolDemand;
import dev.sglangray.app.monitor.PoolDemand.Result;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides how many engines a pool is to have: Ray Serve's rule, with what a fleet of few, slow and costly engines needs besides. Nothing
 * happens before a number was wanted for a whole delay with nothing in the way. Pure: time and load are given to it. Not thread-safe.
 */
final class PoolScaler {
    /** From a change that failed to the next; doubled with each that failed since. */
    static final Duration AGAIN = Duration.ofSeconds(30);

    private static final int MOST_DOUBLINGS = 5;
    /** Below this many requests a tenth of one matters. */
    private static final int FEW = 10;

    private final String pool;
    private final AutoscalingSettings settings;
    private final Consumer<String> remarks;
    private final Deque<Sum> sums = new ArrayDeque<>();
    private final Map<Integer, Told> told = new HashMap<>();
    private final Trend up;
    private final Trend down;
    /** How many engines it was to have at the last look; 0 before the first. */
    private int expected;

    private boolean suspended;
    private boolean held;
    private int failures;
    private Instant pauseEnd = Instant.MIN;
    private PoolDemand demand;

    /** The load of the whole pool at one moment. */
    private record Sum(Instant at, int ongoing) {}

    /** The last load that an engine told. */
    private record Told(Instant at, int ongoing) {}

    /** Whether more engines, or fewer, are wanted, and for how long. */
    private static final class Trend {
        private final Duration delay;
        private @Nullable Instant since;
        private @Nullable Instant free;
        private @Nullable Hold said;
        /** The most engines that were wanted since; 0 as long as the mean has load from before. */
        private int most;

        Trend(Duration delay) {
            this.delay = delay;
        }

        void take(boolean wanted, boolean isHeld, Instant now) {
            since = wanted ? (since == null ? now : since) : null;
            free = isHeld ? null : (free == null ? now : free);
            said = isHeld && wanted ? said : null;
            most = wanted && !isHeld ? most : 0;
        }

        /** Takes a number in that is wanted, of a mean that looks so far back. */
        void wants(int engines, Duration lookBack, Instant now) {
            if (since != null
                    && free != null
                    && Duration.between(since.isAfter(free) ? since : free, now).compareTo(lookBack) > 0) {
                most = Math.max(most, engines);
            }
        }

        void restart() {
            since = null;
            free = null;
            most = 0;
        }

        /** Whether it has been wanted for the delay. */
        boolean isLong(Instant now) {
            return isLong(since, now);
        }

        /** Whether that is so, and nothing was in the way for as long. */
        boolean isDue(Instant now) {
            return isLong(since, now) && isLong(free, now);
        }

        private boolean isLong(@Nullable Instant begin, Instant now) {
            return begin != null && Duration.between(begin, now).compareTo(delay) >= 0;
        }
    }

    /**
     * Without a look yet.
     *
     * @param remarks gets what is to be among the fleet's events, at once
     */
    PoolScaler(String pool, AutoscalingSettings settings, Consumer<String> remarks) {
        this.pool = pool;
        this.settings = settings;
        this.remarks = remarks;
        this.up = new Trend(settings.upscaleDelay());
        this.down = new Trend(settings.downscaleDelay());
        this.demand = new PoolDemand(pool, 0, settings.minEngines(), Set.of());
    }

    AutoscalingSettings settings() {
        return settings;
    }

    /** What is made of the load at the last look. */
    PoolDemand demand() {
        return demand;
    }

    /**
     * Takes a look in.
     *
     * @return the change that is due; empty for none. It is due again at the next look unless it was {@link #carried} out.
     */
    Optional<PoolChange> take(PoolSample sample, Instant now) {
        int wanted = sample.wanted();
        if (wanted < 1) {
            return Optional.empty();
        }
        Map<Hold, String> holds = new EnumMap<>(Hold.class);
        holds.putAll(sample.holds());
        if (!holds.containsKey(Hold.CHANGE)) {
            sized(wanted, now);
        }
        int ongoing = ongoing(sample, holds, now);
        if (suspended) {
            holds.put(Hold.BOUNDS, "it has a size outside of its bounds");
        }
        boolean growthHeld = holds.keySet().stream().anyMatch(Hold::isForGrowth);
        if (growthHeld || (held && holds.isEmpty())) {
            sums.clear(); // of what was before nothing counts
        }
        held = !holds.isEmpty();
        double mean = mean(new Sum(now, ongoing));
        int desired = settings.desired(mean, wanted);
        up.take(desired > wanted, growthHeld, now);
        down.take(desired < wanted, held, now);
        if (now.isBefore(pauseEnd)) {
            holds.put(Hold.PAUSE, "a change failed");
        }
        demand = new PoolDemand(
                pool, mean, desired, holds.keySet().stream().map(Hold::label).collect(Collectors.toSet()));
        if (desired == wanted) {
            return Optional.empty();
        }
        Trend trend = desired > wanted ? up : down;
        PoolChange change = trend == up ? growth(wanted, desired, mean) : shrinkage(wanted, desired, mean, now);
        if (trend.isLong(now) && holds.keySet().stream().allMatch(Hold::isSaid)) {
            holds.keySet().stream()
                    .filter(hold -> trend == down || hold.isForGrowth())
                    .filter(Hold::isSaid)
                    .findFirst()
                    .ifPresent(hold -> withheld(trend, change, hold, String.valueOf(holds.get(hold))));
        }
        return trend.isDue(now) && !holds.containsKey(Hold.PAUSE) ? Optional.of(change) : Optional.empty();
    }

    /** Takes in how many engines the pool is to have: when that is not what it was, a hand has changed it. */
    private void sized(int wanted, Instant now) {
        boolean first = expected == 0;
        if (wanted == expected) {
            return;
        }
        expected = wanted;
        boolean outside = !settings.allows(wanted);
        if (outside) {
            remarks.accept(
                    ("autoscaling of %s is suspended: it has %d engine(s), and its bounds are %d and %d; it is resumed"
                                    + " by a scale to a number within them")
                            .formatted(PoolChange.name(pool), wanted, settings.minEngines(), settings.maxEngines()));
        } else if (suspended) {
            remarks.accept(
                    "autoscaling of %s is resumed: it has %d engine(s)".formatted(PoolChange.name(pool), wanted));
        } else if (!first) {
            remarks.accept("autoscaling: %s was given %d engine(s); its delays begin again"
                    .formatted(PoolChange.name(pool), wanted));
        }
        suspended = outside;
        restart();
        failures = 0;
        pauseEnd = now;
    }

    private void restart() {
        sums.clear();
        up.restart();
        down.restart();
    }

    /** The requests of all engines that are known; a hold where they are not known of all. */
    private int ongoing(PoolSample sample, Map<Hold, String> holds, Instant now) {
        int sum = 0;
        told.keySet()
                .retainAll(sample.engines().stream().map(PoolSample.Load::rank).toList());
        for (PoolSample.Load engine : sample.engines()) {
            Integer ongoing = engine.ongoing();
            if (ongoing != null) {
                told.put(engine.rank(), new Told(now, ongoing));
                sum += ongoing;
                continue;
            }
            Told last = told.get(engine.rank());
            if (last != null && !last.at().plus(settings.stands()).isBefore(now)) {
                sum += last.ongoing();
            } else {
                holds.put(Hold.UNKNOWN_LOAD, "engine " + engine.rank() + " does not say how much it has to do");
            }
        }
        return sum;
    }

    private double mean(Sum last) {
        sums.addLast(last);
        Instant begin = last.at().minus(settings.lookBack());
        while (!sums.getFirst().at().isAfter(begin) && sums.size() > 1) {
            sums.removeFirst();
        }
        return sums.stream().mapToInt(Sum::ongoing).average().orElse(0);
    }

    private PoolChange growth(int wanted, int desired, double mean) {
        return new PoolChange(
                pool, wanted, desired, "%s for %s".formatted(load(mean), seconds(settings.upscaleDelay())));
    }

    /** To the most that were wanted meanwhile: a load that comes in bursts needs as many again, although it wants none just now. */
    private PoolChange shrinkage(int wanted, int desired, double mean, Instant now) {
        down.wants(desired, settings.lookBack(), now);
        int to = Math.max(desired, down.most);
        return new PoolChange(
                pool,
                wanted,
                to,
                "%s no more than %d engine(s) were wanted for %s"
                        .formatted(load(mean), to, seconds(settings.downscaleDelay())));
    }

    private String load(double mean) {
        return "%s ongoing requests, target %s an engine,"
                .formatted(String.format(Locale.ROOT, mean < FEW ? "%.1f" : "%.0f", mean), number(settings.target()));
    }

    private static String seconds(Duration duration) {
        return number(duration.toMillis() / 1000.0) + " s";
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
    }

    private void withheld(Trend trend, PoolChange change, Hold hold, String words) {
        if (trend.said != hold) {
            trend.said = hold;
            remarks.accept("autoscaling: %s does not %s from %d to %d engine(s): %s (%s)"
                    .formatted(
                            PoolChange.name(pool),
                            change.isUp() ? "grow" : "shrink",
                            change.from(),
                            change.to(),
                            words,
                            change.why()));
        }
    }

    /** A change that was due was carried out, and the pool has so many engines now. */
    Result carried(PoolChange change, int engines, Instant now) {
        expected = engines;
        restart();
        failures = 0;
        if (engines == change.to()) {
            return Result.DONE;
        }
        Duration pause = pause(now);
        remarks.accept(
                "autoscaling: %s has %d of %d engine(s): there is no room for more; the next attempt is in %d s at the earliest"
                        .formatted(PoolChange.name(pool), engines, change.to(), pause.toSeconds()));
        return Result.PARTLY;
    }

    /** A change that was due was refused, because another one is under way. */
    Result refused() {
        restart();
        return Result.REFUSED;
    }

    /** A change that was due failed. */
    Result failed(PoolChange change, String why, Instant now) {
        Duration pause = pause(now);
        remarks.accept("autoscaling: %s stays at %d engine(s): %s; the next attempt is in %d s at the earliest"
                .formatted(PoolChange.name(pool), change.from(), why, pause.toSeconds()));
        return Result.FAILED;
    }

    private Duration pause(Instant now) {
        Duration pause = AGAIN.multipliedBy(1L << Math.min(failures, MOST_DOUBLINGS));
        failures++;
        pauseEnd = now.plus(pause);
        return pause;
    }
}
