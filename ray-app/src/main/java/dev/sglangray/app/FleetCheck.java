/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.metrics.MetricsSettings;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Severity;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.config.launcher.RouterType;
import dev.sglangray.config.launcher.ServerType;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupSettingsReader;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import dev.sglangray.workers.supervision.SupervisionPolicyReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * All that can be said against a configuration without a cluster: everything that a launch reads is read, and what is
 * wrong is collected. Not thread-safe.
 */
public final class FleetCheck {
    private final Config root;
    private final FleetSelection selection;
    private final int routerNodeRank;
    private final Function<SchemaKind, ArgumentSchemas.Found> finder;
    private final Map<String, ConfigProblem> problems = new LinkedHashMap<>();
    private final Set<SourcePosition> places = new HashSet<>();
    private final List<ArgumentSchemas.Found> schemas = new ArrayList<>();

    private FleetCheck(
            Config root,
            FleetSelection selection,
            int routerNodeRank,
            Function<SchemaKind, ArgumentSchemas.Found> finder) {
        this.root = root;
        this.selection = selection;
        this.routerNodeRank = routerNodeRank;
        this.finder = finder;
    }

    /**
     * What came out.
     *
     * @param problems errors and warnings, each with its trail
     * @param schemas what {@code server} and {@code router} were compared with
     */
    public record Result(List<ConfigProblem> problems, List<ArgumentSchemas.Found> schemas) {
        /** Copies the lists. */
        public Result {
            problems = List.copyOf(problems);
            schemas = List.copyOf(schemas);
        }
    }

    /**
     * Checks a configuration.
     *
     * @param known problems that are known already, which come first and are not reported twice
     * @param selection what in it is the fleet
     * @param routerNodeRank the node of the router
     * @param finder finds the arguments that the blocks are compared with
     */
    public static Result of(
            Config root,
            List<ConfigProblem> known,
            FleetSelection selection,
            int routerNodeRank,
            Function<SchemaKind, ArgumentSchemas.Found> finder) {
        FleetCheck check = new FleetCheck(root, selection, routerNodeRank, finder);
        check.addAll(known);
        known.stream()
                .map(ConfigProblem::position)
                .filter(position -> position.line() > 0)
                .forEach(check.places::add);
        check.run();
        return new Result(List.copyOf(check.problems.values()), check.schemas);
    }

    private void run() {
        ClusterConfig.Checked cluster = ClusterConfig.check(root);
        addAll(cluster.problems());
        Optional<Config> block = attempt(() -> selection.block(root));
        Optional<LauncherArgs.Checked> launcher = block.flatMap(found -> attempt(() -> LauncherArgs.check(found)));
        launcher.ifPresent(checked -> addAll(checked.warnings()));
        Optional<LauncherArgs> bound = launcher.map(LauncherArgs.Checked::arguments);
        Optional<List<EnginePool>> pools = bound.isEmpty() || block.isEmpty()
                ? Optional.empty()
                : attempt(() -> EnginePool.of(root, block.get(), bound.get()));
        block.ifPresent(found -> checkArguments(found, bound.orElse(null), pools.orElse(List.of())));
        GroupSettings settings = block.flatMap(found -> attempt(() -> GroupSettingsReader.read(found)))
                .orElse(null);
        block.ifPresent(found -> attempt(() -> SupervisionPolicyReader.read(found)));
        block.ifPresent(found -> attempt(() -> MetricsSettings.read(found)));
        pools.ifPresent(all -> attempt(() -> FleetSpec.OwnerSettings.read(
                block.get(), bound.get(), all, Objects.requireNonNullElse(settings, GroupSettings.DEFAULT))));
        pools.ifPresent(all -> all.forEach(this::compareSizes));
        pools.ifPresent(all -> all.forEach(pool -> attempt(() -> SupervisionPolicyReader.read(pool))));
        boolean needed = pools.map(
                        all -> all.stream().anyMatch(pool -> pool.component().isEmpty()))
                .orElse(bound.map(LauncherArgs::launchServer).orElse(true));
        Optional<String> component = needed ? attempt(() -> selection.component(root)) : Optional.of("");
        ClusterConfig readable = cluster.cluster();
        if (readable != null && !hasErrors(cluster.problems())) {
            FleetSpec spec = pools.isEmpty() || component.isEmpty()
                    ? null
                    : new FleetSpec(
                            root,
                            readable,
                            component.get(),
                            block.get(),
                            bound.get(),
                            pools.get(),
                            Objects.requireNonNullElse(settings, GroupSettings.DEFAULT),
                            SupervisionPolicy.DEFAULT,
                            FleetSpec.OwnerSettings.NONE,
                            selection.explicitPlacement(),
                            null);
            attempt(() -> spec == null ? null : spec.groupOptions(LaunchOptions.DEFAULT, false));
            attempt(() -> {
                addAll(PlacementCheck.of(root, readable, spec, settings, routerNodeRank));
                return true;
            });
        }
    }

    private void checkArguments(Config block, @Nullable LauncherArgs bound, List<EnginePool> pools) {
        for (EnginePool pool : pools) {
            pool.arguments()
                    .server()
                    .config()
                    .ifPresent(server -> compare(
                            server, ArgumentSchemas.kind(pool.arguments().serverType()), pool::own));
        }
        // What is switched off is not read, by a launch neither. With pools the block is only a part of what each
        // engine gets.
        if (bound == null && !isOff(block, "launch_server") && !block.has("pools")) {
            word(block, "server_type", ServerType.SRT, ServerType.values(), ServerType::configName)
                    .ifPresent(type -> compare(block, "server", ArgumentSchemas.kind(type)));
        }
        if (bound == null ? !isOff(block, "launch_router") : bound.launchRouter()) {
            Optional<SchemaKind> kind = bound == null
                    ? word(block, "router_type", RouterType.SGLANG_ROUTER, RouterType.values(), RouterType::configName)
                            .map(ArgumentSchemas::kind)
                    : Optional.of(ArgumentSchemas.kind(bound.routerType()));
            kind.ifPresent(found -> compare(block, "router", found));
        }
    }

    /** The launcher sets accelerators aside by its own sizes, and the engine uses as many as its arguments say. */
    private void compareSizes(EnginePool pool) {
        LauncherArgs arguments = pool.arguments();
        Map<String, @Nullable Object> server = arguments.server().values();
        if (!arguments.launchServer() || arguments.serverType() != ServerType.SRT) {
            return;
        }
        if (!(server.getOrDefault("tp_size", 1) instanceof Integer tensor)
                || !(server.getOrDefault("pp_size", 1) instanceof Integer pipeline)
                || arguments.acceleratorsPerEngine().isEmpty()) {
            return;
        }
        int data = PlanCheck.dataParallel(server);
        long used = (long) tensor * pipeline * data;
        int setAside = arguments.acceleratorsPerEngine().getAsInt();
        if (used != setAside) {
            Config block = arguments.server().config().orElse(root);
            Config at = block.select("tp_size")
                    .or(() -> block.select("pp_size"))
                    .or(() -> block.select("dp_size"))
                    .orElse(block);
            addAll(List.of(pool.own(at.warning(
                            "each engine would use %d accelerators (tp_size x pp_size%s), but %d are set aside for it"
                                    .formatted(used, data > 1 ? " x dp_size" : "", setAside))
                    .withFix(
                            data > 1
                                    ? ("set tensor_parallel_size to %d and write tp_size: %d as a number; with"
                                                    + " enable_dp_attention the data-parallel ranks share those of tp_size")
                                            .formatted(used / pipeline, tensor)
                                    : "write tp_size: ${..tensor_parallel_size} and pp_size:"
                                            + " ${..pipeline_parallel_size}"))));
        }
    }

    /** A type in a block that cannot be bound; empty when that is what is wrong with it. */
    private <E> Optional<E> word(Config block, String key, E unset, E[] values, Function<E, String> name) {
        Optional<Config> given = attempt(() -> block.select(key).orElse(null));
        if (given.isEmpty()) {
            return Optional.of(unset);
        }
        return attempt(() -> given.get().asString())
                .flatMap(text -> Arrays.stream(values)
                        .filter(value -> name.apply(value).equals(text))
                        .findFirst());
    }

    private static boolean isOff(Config block, String key) {
        try {
            return block.select(key)
                    .map(value -> value.asString().equalsIgnoreCase("false"))
                    .orElse(false);
        } catch (ConfigException e) {
            return false; // LauncherArgs reports it
        }
    }

    private void compare(Config block, String key, SchemaKind kind) {
        attempt(() -> block.select(key).filter(Config::isMap).orElse(null))
                .ifPresent(arguments -> compare(arguments, kind, UnaryOperator.identity()));
    }

    private void compare(Config arguments, SchemaKind kind, UnaryOperator<ConfigProblem> placed) {
        if (!arguments.isMap()) {
            return;
        }
        attempt(() -> {
            ArgumentSchemas.Found found = finder.apply(kind);
            if (schemas.stream().noneMatch(known -> known.describe().equals(found.describe()))) {
                schemas.add(found);
            }
            addAll(found.checkStrictly(arguments).stream().map(placed).toList());
            return found;
        });
    }

    private <T> Optional<T> attempt(Supplier<@Nullable T> step) {
        try {
            return Optional.ofNullable(step.get());
        } catch (ConfigException e) {
            addAll(e.problems());
            return Optional.empty();
        }
    }

    /** One problem for a key and a place: what is found later there mostly follows from what was found first. */
    private void addAll(List<ConfigProblem> found) {
        for (ConfigProblem problem : found) {
            String where = problem.severity() + " " + problem.key() + " " + problem.position();
            String id = problem.key().isEmpty() ? where + problem.message() : where;
            if (places.contains(problem.position())) {
                continue; // a consequence of what was said of this place while reading
            }
            problems.putIfAbsent(id, root.explain(problem));
        }
    }

    /** Whether there is an error among problems. */
    public static boolean hasErrors(List<ConfigProblem> problems) {
        return problems.stream().anyMatch(problem -> problem.severity() == Severity.ERROR);
    }
}
