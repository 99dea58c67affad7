/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.autoscaling.AutoscalingReader;
import dev.sglangray.app.autoscaling.AutoscalingSettings;
import dev.sglangray.config.Config;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.argument.ArgumentBlock;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.config.launcher.ServerType;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FixedPorts;
import dev.sglangray.placement.plan.FleetPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The arguments of engines and router against what a plan gives them: accelerators, and nodes that they share. Stateless. */
final class PlanCheck {
    private static final String BASE = "base_gpu_id";
    private static final String STEP = "gpu_id_step";

    private PlanCheck() {}

    /**
     * Refuses arguments that cannot work where the plan puts the processes.
     *
     * @throws ConfigException with the place of each
     */
    public static void require(FleetSpec spec, FleetPlan plan) {
        Optional<ConfigProblem> ports = FixedPorts.clash(plan).map(clash -> {
            return (clash.ofRouter()
                            ? problem(spec.arguments().router(), clash.key(), clash.message())
                            : ofEngines(spec, clash.key(), clash.message()))
                    .withFix(clash.fix());
        });
        ConfigException.throwIfErrors(Stream.of(engines(spec, plan).stream(), bounds(spec, plan), ports.stream())
                .flatMap(Function.identity())
                .toList());
    }

    /** A launch outside of autoscaling's bounds. */
    private static Stream<ConfigProblem> bounds(FleetSpec spec, FleetPlan plan) {
        return spec.pools().stream().flatMap(pool -> {
            AutoscalingSettings settings = spec.owner().autoscaling().get(pool.name());
            int engines = (int) plan.engines().stream()
                    .filter(engine -> engine.pool().equals(pool.name()))
                    .count();
            return settings == null ? Stream.empty() : AutoscalingReader.outside(pool, settings, engines).stream();
        });
    }

    /** What is wrong with the arguments of pools for where their engines are. */
    static List<ConfigProblem> engines(FleetSpec spec, FleetPlan plan) {
        List<ConfigProblem> problems = new ArrayList<>();
        for (EnginePool pool : spec.pools()) {
            List<EnginePlan> engines = plan.engines().stream()
                    .filter(engine -> engine.pool().equals(pool.name()))
                    .toList();
            devices(pool.arguments(), engines).forEach(problem -> problems.add(pool.own(problem)));
            severalNodes(pool.arguments(), engines).ifPresent(problem -> problems.add(pool.own(problem)));
        }
        return problems;
    }

    /** At the first pool that has the argument. */
    private static ConfigProblem ofEngines(FleetSpec spec, String key, String message) {
        return spec.pools().stream()
                .filter(pool -> pool.arguments().server().values().containsKey(key))
                .findFirst()
                .map(pool -> pool.own(problem(pool.arguments().server(), key, message)))
                .orElseGet(() -> problem(spec.arguments().server(), key, message));
    }

    /**
     * Refuses engines of several nodes that would all be reached at one host.
     *
     * @throws PlacementException that names the nodes
     */
    static void requireOneNode(@Nullable String advertiseHost, List<EnginePlan> engines) {
        List<String> nodes =
                engines.stream().map(engine -> engine.node().ip()).distinct().toList();
        if (advertiseHost != null && nodes.size() > 1) {
            throw PlacementException.builder(
                            "advertise_host is '%s', which is one host, but the engines would be on %d nodes"
                                    .formatted(advertiseHost, nodes.size()))
                    .available("Nodes", nodes)
                    .fix(
                            "Leave advertise_host unset: each engine is then reached at the address that Ray knows its node by.")
                    .build();
        }
    }

    /** What SGLang does not do over several nodes; it would say so after the accelerators are taken. */
    static Optional<ConfigProblem> severalNodes(LauncherArgs arguments, List<EnginePlan> engines) {
        Optional<EnginePlan> spanning =
                engines.stream().filter(EnginePlan::spansNodes).findFirst();
        if (spanning.isEmpty()) {
            return Optional.empty();
        }
        ArgumentBlock server = arguments.server();
        Map<String, @Nullable Object> values = server.values();
        EnginePlan engine = spanning.get();
        String why = "engine %d spans %d nodes"
                .formatted(engine.rank(), engine.parts().size());
        if (arguments.serverType() == ServerType.EMBODIED) {
            return Optional.of(problem(server, "num_gpus", why + ", which an embodied engine cannot")
                    .withFix("give an engine no more accelerators than a node has"));
        }
        if (dataParallel(values) > 1) {
            return Optional.of(problem(server, "dp_size", why + ", where SGLang has no data-parallel replicas")
                    .withFix("set enable_dp_attention: true, or make dp_size 1 and have more engines"));
        }
        long nodes = engine.parts().size();
        long stages = number(values, "pp_size", 1);
        boolean whole =
                stages % nodes == 0 || (nodes % stages == 0 && number(values, "tp_size", 1) % (nodes / stages) == 0);
        return whole
                ? Optional.empty()
                : Optional.of(problem(
                                server,
                                "pp_size",
                                why
                                        + ", over which SGLang cannot share %d pipeline stages of %d ranks evenly"
                                                .formatted(stages, number(values, "tp_size", 1)))
                        .withFix("make the nodes a multiple of the stages, or the stages a multiple of the nodes"));
    }

    /** What is wrong with the numbers of accelerators that an engine's arguments lead to; the first engine's stands for all. */
    static List<ConfigProblem> devices(LauncherArgs arguments, List<EnginePlan> engines) {
        Map<String, @Nullable Object> server = arguments.server().values();
        boolean given = server.get(BASE) != null || server.get(STEP) != null;
        if (!given || "cpu".equals(server.get("device"))) {
            return List.of();
        }
        long base = number(server, BASE, 0);
        long step = number(server, STEP, 1);
        for (EnginePlan engine : engines) {
            long last = base
                    + (engine.spansNodes()
                            ? (engine.placement().localHardwareRanks().size() - 1) * step
                            : last(server, arguments.serverType(), step));
            int own = engine.placement().visibleAccelerators().size();
            boolean hidden = !engine.placement()
                    .acceleratorType()
                    .visibleDevicesVariable()
                    .isEmpty();
            if (own == 0 || !hidden || (base >= 0 && step >= 1 && last < own)) {
                continue;
            }
            String wrong = server.get(BASE) == null || (base == 0 && step != 1) ? STEP : BASE;
            return List.of(problem(
                            arguments.server(),
                            wrong,
                            "engine %d would use the accelerators %d to %d, but it sees its own %d only, which it counts from 0"
                                    .formatted(engine.rank(), base, last, own))
                    .withAllowed(List.of("accelerators 0 to " + (own - 1) + ": " + BASE + " + (size - 1) * " + STEP
                            + " must not be above " + (own - 1)))
                    .withFix("leave " + BASE + " and " + STEP + " unset: the placement chooses the accelerators"));
        }
        return List.of();
    }

    /** The highest number after the base, as SGLang counts: pipeline stages follow each other without the step. */
    private static long last(Map<String, @Nullable Object> server, ServerType type, long step) {
        if (type == ServerType.EMBODIED) {
            return number(server, "num_gpus", 1) - 1;
        }
        long tensor = number(server, "tp_size", 1);
        long pipeline = number(server, "pp_size", 1);
        long data = dataParallel(server);
        return (data - 1) * tensor * pipeline * step + (pipeline - 1) * tensor + (tensor - 1) * step;
    }

    /** How many groups of tp_size x pp_size an engine has, each with accelerators of its own. */
    static int dataParallel(Map<String, @Nullable Object> server) {
        boolean shared = Boolean.TRUE.equals(server.get("enable_dp_attention"));
        return shared ? 1 : Math.max(1, WholeNumber.of(server.get("dp_size")).orElse(1));
    }

    private static long number(Map<String, @Nullable Object> server, String key, int unset) {
        return WholeNumber.of(server.get(key)).orElse(unset);
    }

    private static ConfigProblem problem(ArgumentBlock block, String key, String message) {
        Config source = block.source();
        if (source == null) {
            return ConfigProblem.error(new SourcePosition("<arguments>", 0, 0), key, message);
        }
        Config at = source.select(key).orElse(source);
        return ConfigProblem.error(at.position(), source.path().isEmpty() ? key : source.path() + "." + key, message);
    }
}
