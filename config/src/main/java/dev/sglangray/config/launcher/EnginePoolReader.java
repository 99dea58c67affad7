/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import dev.sglangray.config.Config;
import dev.sglangray.config.Fields;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads {@link EnginePool}s. Not thread-safe. */
final class EnginePoolReader {
    static final String KEY = "pools";
    static final String UPDATES = "update_weights";
    /** Those of the pool alone. */
    private static final List<String> OWN = List.of("name", "worker_type", "component", "engines", "env_vars", UPDATES);
    /** What the block has in common with its pools; what a pool says of these is merged into what the block says. */
    static final List<String> LAID_OUT =
            List.of("model_path", "tensor_parallel_size", "pipeline_parallel_size", "server");
    /** What a pool lays over the block. */
    private static final List<String> OF_BLOCK = Stream.concat(
                    LAID_OUT.stream(), Stream.of("supervision", "autoscaling"))
            .toList();

    private static final List<String> KEYS =
            Stream.of(OWN, OF_BLOCK).flatMap(List::stream).toList();
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");

    private final Config root;
    private final Config block;
    private final LauncherArgs arguments;
    private final Fields fields = new Fields();

    EnginePoolReader(Config root, Config block, LauncherArgs arguments) {
        this.root = root;
        this.block = block;
        this.arguments = arguments;
    }

    List<EnginePool> read() {
        if (!arguments.launchServer()) {
            ConfigException.throwIfErrors(FleetModels.of(arguments, List.of()).problems(arguments, block));
            return List.of();
        }
        List<Config> items =
                fields.items(block, KEY, "write one item for each pool, as in - {name: large, engines: 2}");
        List<EnginePool> pools = new ArrayList<>();
        for (Config item : items) {
            if (fields.isMap(item, "must be a map with name")) {
                fields.attempt(() -> pools.add(pool(item)));
            }
        }
        if (items.isEmpty()) {
            pools.add(new EnginePool("", null, null, arguments, Map.of(), true, block, null));
        }
        throwIfErrors();
        checkNames(pools);
        List<EnginePool> all = withUpdates(pools);
        FleetModels.of(arguments, all).problems(arguments, block).forEach(fields::add);
        throwIfErrors();
        return all;
    }

    /** What is wrong in the block itself is wrong in every pool. */
    private void throwIfErrors() {
        ConfigException.throwIfErrors(fields.problems().stream().distinct().toList());
    }

    private EnginePool pool(Config item) {
        Fields own = new Fields();
        own.onlyKnown(item, KEYS);
        String name = own.require(item, "name", "", EnginePoolReader::name);
        String component = own.read(item, "component", "", this::component);
        int engines = own.read(item, "engines", 0, EnginePoolReader::positive);
        Map<String, String> environment = environment(own, item);
        own.bool(item, UPDATES, true);
        Set<String> others = new HashSet<>(OWN);
        if (item.select("supervision").filter(Config::isNull).isPresent()) {
            others.add("supervision"); // as left out
        }
        Config over = item.without(others);
        WorkerType type =
                item.has("worker_type") ? own.require(item, "worker_type", WorkerType.REGULAR, WorkerType::read) : null;
        ConfigException.throwIfErrors(own.problems());
        Config whole;
        LauncherArgs laidOver;
        try {
            whole = root.overlaid(block.path(), over, Set.of(KEY, ExternalEngine.KEY))
                    .require(block.path());
            laidOver = LauncherArgs.from(whole);
        } catch (ConfigException e) {
            throw new ConfigException(e.problems().stream()
                    .map(problem -> own(problem, block.path(), item))
                    .toList());
        }
        EnginePool pool = new EnginePool(
                name,
                component.isEmpty() ? null : component,
                engines == 0 ? null : engines,
                type == null ? laidOver : laidOver.withWorkerType(type),
                environment,
                true,
                whole,
                item);
        if (type != null
                && laidOver.server().values().get(WorkerType.ARGUMENT) != null
                && WorkerType.of(laidOver.server().values()) != type) {
            throw new ConfigException(item.require("worker_type")
                    .error("is %s, but %s is '%s'"
                            .formatted(
                                    type.configName(),
                                    WorkerType.ARGUMENT,
                                    laidOver.server().values().get(WorkerType.ARGUMENT)))
                    .withFix("leave " + WorkerType.ARGUMENT + " out of server: it follows from worker_type"));
        }
        return pool;
    }

    static ConfigProblem own(ConfigProblem problem, String block, Config item) {
        String path = item.path();
        if (!problem.key().startsWith(block + ".")) {
            return problem;
        }
        String key = problem.key().substring(block.length() + 1);
        String own = path + "." + key;
        Optional<SourcePosition> position = item.positionOf(own);
        if (position.isEmpty() && item.positionOf(problem.key()).isEmpty()) {
            return problem.withPlace(item.position(), own); // absent
        }
        return position.filter(problem.position()::equals).isPresent()
                ? problem.withPlace(problem.position(), own)
                : problem;
    }

    private static Map<String, String> environment(Fields own, Config item) {
        Map<String, String> variables = new LinkedHashMap<>();
        own.attempt(() -> item.select("env_vars").filter(map -> !map.isNull()).ifPresent(map -> {
            if (own.isMap(map, "must be a map of variables, as in {NCCL_DEBUG: INFO}")) {
                map.entries().forEach((name, value) -> own.attempt(() -> variables.put(name, value.asString())));
            }
        }));
        return variables;
    }

    private String component(Config field) {
        String name = field.asString();
        List<String> names = root.select("cluster.component_placement").map(Config::keys).orElse(List.of()).stream()
                .flatMap(key -> Stream.of(key.split(",", -1)))
                .map(String::strip)
                .toList();
        if (!names.contains(name)) {
            throw new ConfigException(
                    field.error("there is no component '" + name + "'").withNames(name, names));
        }
        return name;
    }

    private static String name(Config field) {
        String name = field.asString();
        if (!NAME.matcher(name).matches()) {
            throw new ConfigException(field.error(
                    "must be 1 to 63 of the letters a to z, digits and '-', as a Kubernetes name, not '" + name + "'"));
        }
        return name;
    }

    private static int positive(Config field) {
        int value = WholeNumber.of(field.value()).orElseGet(field::asInt);
        if (value < 1) {
            throw new ConfigException(field.error("must be at least 1, not " + value));
        }
        return value;
    }

    private void checkNames(List<EnginePool> pools) {
        Set<String> names = new HashSet<>();
        pools.stream()
                .filter(pool -> !names.add(pool.name()))
                .forEach(pool -> fields.add(pool.at("name").error("there are two pools '" + pool.name() + "'")));
    }

    /** In a fleet of several models an update has the weights of the block's own, unless pools say otherwise. */
    private List<EnginePool> withUpdates(List<EnginePool> pools) {
        boolean one = pools.stream().map(EnginePool::modelPath).distinct().count() == 1;
        Optional<String> own = blockModel();
        return pools.stream()
                .map(pool -> {
                    boolean otherwise =
                            one || own.filter(pool.modelPath()::equals).isPresent();
                    return pool.withUpdateWeights(
                            pool.settings() == null ? otherwise : fields.bool(pool.settings(), UPDATES, otherwise));
                })
                .toList();
    }

    /** The block's own model; empty where each pool has its own. */
    private Optional<String> blockModel() {
        for (String key : List.of("server.model_path", "model_path")) {
            try {
                Optional<String> path =
                        block.select(key).filter(field -> !field.isNull()).map(Config::asString);
                if (path.isPresent()) {
                    return path;
                }
            } catch (ConfigException e) {
                // What the block leaves to its pools is no problem of the block.
            }
        }
        return Optional.empty();
    }
}
