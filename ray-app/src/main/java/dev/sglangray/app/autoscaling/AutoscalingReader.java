/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import dev.sglangray.config.Config;
import dev.sglangray.config.Fields;
import dev.sglangray.config.KnownKeys;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.LauncherArgs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/** Reads {@link AutoscalingSettings} from the maps {@code autoscaling} of the launcher's block and its pools. Stateless. */
public final class AutoscalingReader {
    /** The key in the launcher's block, and in a pool. */
    public static final String KEY = "autoscaling";

    private static final String MIN = "min_engines";
    private static final String MAX = "max_engines";
    private static final List<String> KEYS = List.of(
            MIN,
            MAX,
            "target_ongoing_requests",
            "upscale_delay_s",
            "downscale_delay_s",
            "upscaling_factor",
            "downscaling_factor",
            "look_back_period_s",
            "interval_s",
            "drain_s");

    private AutoscalingReader() {}

    /**
     * The settings of each pool that has any, by its name, in the pools' order.
     *
     * @param block the launcher's block
     * @param arguments the same, read
     * @param pools its pools
     * @param growable whether Ray knows what is free, so that a pool can get more engines
     * @throws ConfigException that lists every fault
     */
    public static Map<String, AutoscalingSettings> read(
            Config block, LauncherArgs arguments, List<EnginePool> pools, boolean growable) {
        List<ConfigProblem> problems = new ArrayList<>();
        Map<String, AutoscalingSettings> byPool = new LinkedHashMap<>();
        given(block)
                .filter(map -> !arguments.launchServer())
                .ifPresent(map -> problems.add(map.error("the fleet has no engines of its own: launch_server is off")));
        for (EnginePool pool : pools) {
            Optional<Config> found = given(pool.block());
            if (found.isEmpty()) {
                continue;
            }
            Config map = found.get();
            if (!arguments.launchRouter()) {
                problems.add(pool.own(
                        map.error("needs the fleet's router, and launch_router is off: nothing sends requests to"
                                + " engines that come, or keeps them from engines that go")));
            } else if (!growable) {
                problems.add(pool.own(map.error("needs placement_group.accelerator_ids: ray, because otherwise Ray does"
                        + " not know which accelerators are free")));
            }
            try {
                AutoscalingSettings settings = read(map);
                byPool.put(pool.name(), settings);
                if (pool.engines().isPresent()) {
                    problems.addAll(outside(pool, settings, pool.engines().getAsInt()));
                }
            } catch (ConfigException e) {
                e.problems().stream().map(pool::own).forEach(problems::add);
            }
        }
        ConfigException.throwIfErrors(problems.stream().distinct().toList());
        return byPool;
    }

    /** What is wrong with a pool that is launched with so many engines; nothing where that is within its bounds. */
    public static List<ConfigProblem> outside(EnginePool pool, AutoscalingSettings settings, int engines) {
        if (settings.allows(engines)) {
            return List.of();
        }
        boolean few = engines < settings.minEngines();
        Config map = pool.block().require(KEY);
        Config at = map.select(few ? MIN : MAX).orElse(map);
        return List.of(pool.own(at.error("is %d, but %s is launched with %d engine(s)"
                        .formatted(
                                few ? settings.minEngines() : settings.maxEngines(),
                                pool.name().isEmpty() ? "the fleet" : "pool '" + pool.name() + "'",
                                engines))
                .withFix("launch it with %d to %d engines, or change the bounds"
                        .formatted(settings.minEngines(), settings.maxEngines()))));
    }

    private static Optional<Config> given(Config block) {
        return block.select(KEY).filter(value -> !value.isNull());
    }

    private static AutoscalingSettings read(Config map) {
        if (!map.isMap()) {
            throw new ConfigException(
                    map.error("must be a map, such as {min_engines: 1, max_engines: 4, target_ongoing_requests: 32}"));
        }
        ConfigException.throwIfErrors(KnownKeys.unknown(map, KEYS));
        Fields fields = new Fields();
        int min = fields.read(map, MIN, 1, AutoscalingReader::least);
        int max = given(map, MAX, fields, "say how many engines there may be at most")
                .map(field -> fields.attempt(() -> whole(field), min))
                .orElse(min);
        double target = given(
                        map,
                        "target_ongoing_requests",
                        fields,
                        "say how many requests, running and queued, an engine is to have: there is no default, because"
                                + " Ray Serve's 2 is far less than an SGLang engine can batch")
                .map(field -> fields.attempt(() -> positive(field), 1.0))
                .orElse(1.0);
        if (fields.problems().isEmpty() && max < min) {
            fields.add(map.require(MAX).error("must not be below min_engines, which is " + min + ", and is " + max));
        }
        AutoscalingSettings settings = new AutoscalingSettings(
                min,
                max,
                target,
                seconds(fields, map, "upscale_delay_s", 30, AutoscalingReader::notNegative),
                seconds(fields, map, "downscale_delay_s", 600, AutoscalingReader::notNegative),
                fields.read(map, "upscaling_factor", 1.0, AutoscalingReader::positive),
                fields.read(map, "downscaling_factor", 1.0, AutoscalingReader::positive),
                seconds(fields, map, "look_back_period_s", 30, AutoscalingReader::positive),
                seconds(fields, map, "interval_s", 5, AutoscalingReader::positive),
                seconds(fields, map, "drain_s", 300, AutoscalingReader::notNegative));
        ConfigException.throwIfErrors(fields.problems());
        return settings;
    }

    /** A key that must be given; a problem where it is not. */
    private static Optional<Config> given(Config map, String key, Fields fields, String fix) {
        Optional<Config> field = map.select(key).filter(value -> !value.isNull());
        if (field.isEmpty()) {
            fields.add(map.error(key + " is required").withFix(fix));
        }
        return field;
    }

    private static Duration seconds(
            Fields fields, Config map, String key, double otherwise, ToDoubleFunction<Config> number) {
        return Duration.ofMillis(Math.round(fields.read(map, key, otherwise, number::applyAsDouble) * 1000));
    }

    private static int least(Config field) {
        int value = WholeNumber.of(field.value()).orElseGet(field::asInt);
        if (value == 0) {
            throw new ConfigException(field.error("must be at least 1, not 0: while there is no engine no request can"
                    + " wait, the router answers 503"));
        }
        return whole(field);
    }

    private static int whole(Config field) {
        int value = WholeNumber.of(field.value()).orElseGet(field::asInt);
        if (value < 1) {
            throw new ConfigException(field.error("must be at least 1, not " + value));
        }
        return value;
    }

    private static double positive(Config field) {
        double value = field.asDouble();
        if (!(value >= 0.001 && Double.isFinite(value))) {
            throw new ConfigException(field.error("must be a number from 0.001 on, not " + value));
        }
        return value;
    }

    private static double notNegative(Config field) {
        double value = field.asDouble();
        if (!(value >= 0 && Double.isFinite(value))) {
            throw new ConfigException(field.error("must be a number from 0 on, not " + value));
        }
        return value;
    }
}
