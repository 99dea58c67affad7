/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A pool of engines as queues, second by second: requests arrive at random at a rate that changes, the router sends each to the engine
 * that has the fewest, an engine computes some at once, a new one takes a while to start, and one that goes ends what it has.
 */
final class PoolSimulation {
    static final int SLOTS = 16;
    static final int START_SECONDS = 40;
    private static final int LOOK_SECONDS = 5;
    private static final Instant BEGIN = Instant.parse("2026-11-30T00:00:00Z");

    final List<Changed> changes = new ArrayList<>();
    /** Requests that waited for a slot in the whole pool, by second. */
    final List<Integer> queues = new ArrayList<>();
    /** How many engines the pool was to have, by second. */
    final List<Integer> sizes = new ArrayList<>();

    final List<String> remarks = new ArrayList<>();
    private final AutoscalingSettings settings;
    private final PoolScaler scaler;
    private final Random random;
    private final List<Engine> engines = new ArrayList<>();
    private @Nullable PoolChange running;
    private int runningUntil;
    private int now;

    /** A change of size, with when it began and ended in seconds. */
    record Changed(int begin, int end, int from, int to) {
        boolean isUp() {
            return to > from;
        }
    }

    private static final class Engine {
        /** Seconds that each request which is computed still takes. */
        final List<Integer> computed = new ArrayList<>();

        final Deque<Integer> queue = new ArrayDeque<>();
        boolean leaving;
        int awayUntil;
        int silentUntil;

        int ongoing() {
            return computed.size() + queue.size();
        }

        void work() {
            computed.replaceAll(seconds -> seconds - 1);
            computed.removeIf(seconds -> seconds <= 0);
            while (computed.size() < SLOTS && !queue.isEmpty()) {
                computed.add(queue.removeFirst());
            }
        }
    }

    PoolSimulation(AutoscalingSettings settings, int seed) {
        this.settings = settings;
        this.scaler = new PoolScaler("", settings, remarks::add);
        this.random = new Random(seed);
        for (int i = 0; i < settings.minEngines(); i++) {
            engines.add(new Engine());
        }
    }

    /** An engine is away for so long, and what it had is gone. */
    void away(int engine, int seconds) {
        engines.get(engine).awayUntil = now + seconds;
        engines.get(engine).computed.clear();
        engines.get(engine).queue.clear();
    }

    /** An engine does not say its load for so long. */
    void silent(int engine, int seconds) {
        engines.get(engine).silentUntil = now + seconds;
    }

    int size() {
        return engines.size();
    }

    long serving() {
        return engines.stream().filter(this::serves).count();
    }

    /** Lets so much time pass, with requests a second by the second since the begin of this. */
    PoolSimulation run(int seconds, IntToDoubleFunction rate) {
        for (int second = 0; second < seconds; second++) {
            now++;
            arrive(rate.applyAsDouble(second));
            engines.forEach(Engine::work);
            change();
            if (now % LOOK_SECONDS == 0) {
                look();
            }
            queues.add(engines.stream().mapToInt(engine -> engine.queue.size()).sum());
            sizes.add(engines.size());
        }
        return this;
    }

    private boolean serves(Engine engine) {
        return engine.awayUntil <= now && !engine.leaving;
    }

    private void arrive(double rate) {
        for (int i = poisson(rate); i > 0; i--) {
            Engine least = engines.stream()
                    .filter(this::serves)
                    .min((a, b) -> Integer.compare(a.ongoing(), b.ongoing()))
                    .orElseThrow(() -> new AssertionError("a request finds no engine at " + now));
            least.queue.addLast(4 + random.nextInt(9)); // 8 s on average
        }
    }

    /** Knuth's way: how many events of a rate there are in a second. */
    private int poisson(double rate) {
        double limit = Math.exp(-rate);
        int count = 0;
        for (double product = random.nextDouble(); product > limit; product *= random.nextDouble()) {
            count++;
        }
        return count;
    }

    private void change() {
        PoolChange change = running;
        if (change == null) {
            return;
        }
        if (change.isUp() ? now < runningUntil : engines.stream().anyMatch(e -> e.leaving && e.ongoing() > 0)) {
            return;
        }
        if (change.isUp()) {
            IntStream.range(change.from(), change.to()).forEach(i -> engines.add(new Engine()));
        } else {
            engines.removeIf(engine -> engine.leaving);
        }
        Changed last = changes.remove(changes.size() - 1);
        changes.add(new Changed(last.begin(), now, last.from(), last.to()));
        running = null;
        var unused = scaler.carried(change, engines.size(), at());
    }

    private Instant at() {
        return BEGIN.plusSeconds(now);
    }

    private void look() {
        Map<Hold, String> holds = new EnumMap<>(Hold.class);
        if (running != null) {
            holds.put(Hold.CHANGE, "a change");
        }
        if (engines.stream().anyMatch(engine -> engine.awayUntil > now)) {
            holds.put(Hold.NOT_SERVING, "an engine restarts");
        }
        List<PoolSample.Load> loads = new ArrayList<>();
        for (Engine engine : engines) {
            boolean silent = engine.awayUntil > now || engine.silentUntil > now;
            loads.add(new PoolSample.Load(loads.size(), silent ? null : engine.ongoing()));
        }
        PoolChange due =
                scaler.take(new PoolSample(engines.size(), loads, holds), at()).orElse(null);
        if (due != null) {
            running = due;
            runningUntil = now + START_SECONDS;
            changes.add(new Changed(now, Integer.MAX_VALUE, due.from(), due.to()));
            engines.subList(Math.min(due.to(), engines.size()), engines.size())
                    .forEach(engine -> engine.leaving = true);
        }
    }

    AutoscalingSettings settings() {
        return settings;
    }
}
