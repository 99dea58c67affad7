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
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads {@link EnginePool}s. Not thread-safe. */
final class EnginePoolReader {
    private static final String KEY = "pools";
    /** Those of the pool alone. */
    private static final List<String> OWN = List.of("name", "worker_type", "component", "engines", "env_vars");
    /** What a pool lays over the block. */
    private static final List<String> OF_BLOCK =
            List.of("model_path", "tensor_parallel_size", "pipeline_parallel_size", "server");

    private static final List<String> KEYS =
            Stream.of(OWN, OF_BLOCK).flatMap(List::stream).toList();
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final String BACKEND = "disaggregation_transfer_backend";
    private static final String PD = "pd_disaggregation";

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
            pools.add(new EnginePool("", null, null, arguments, Map.of(), block.path(), null));
        }
        throwIfErrors();
        checkNames(pools);
        checkTypes(pools);
        throwIfErrors();
        return List.copyOf(pools);
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
        Config over = item.without(Set.copyOf(OWN));
        WorkerType type = item.has("worker_type")
                ? own.require(item, "worker_type", WorkerType.REGULAR, EnginePoolReader::workerType)
                : null;
        ConfigException.throwIfErrors(own.problems());
        LauncherArgs laidOver;
        try {
            Config whole = root.overlaid(block.path(), over, Set.of(KEY));
            laidOver = LauncherArgs.from(whole.require(block.path()));
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
                block.path(),
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

    private static WorkerType workerType(Config field) {
        return LauncherArgsReader.word(field, WorkerType.values(), WorkerType::configName, "cannot be");
    }

    private void checkNames(List<EnginePool> pools) {
        Set<String> names = new HashSet<>();
        pools.stream()
                .filter(pool -> !names.add(pool.name()))
                .forEach(pool -> fields.add(at(pool, "name").error("there are two pools '" + pool.name() + "'")));
    }

    private static Config at(EnginePool pool, String key) {
        Config item = Objects.requireNonNull(pool.settings());
        return item.select(key).orElse(item);
    }

    private static List<EnginePool> ofType(List<EnginePool> pools, WorkerType type) {
        return pools.stream().filter(pool -> pool.workerType() == type).toList();
    }

    private void checkTypes(List<EnginePool> pools) {
        boolean several = pools.size() > 1 || pools.get(0).settings() != null;
        if (!several || !arguments.launchRouter()) {
            return;
        }
        checkModels(pools);
        List<EnginePool> prefills = ofType(pools, WorkerType.PREFILL);
        List<EnginePool> decodes = ofType(pools, WorkerType.DECODE);
        List<EnginePool> regular = ofType(pools, WorkerType.REGULAR);
        boolean prefill = !prefills.isEmpty();
        if (prefill == decodes.isEmpty()) {
            EnginePool one = (prefill ? prefills : decodes).get(0);
            fields.add(at(one, "worker_type")
                    .error("there is a pool of %s engines and none of %s engines, so that no request could be answered"
                            .formatted(prefill ? "prefill" : "decode", prefill ? "decode" : "prefill")));
        } else if (prefill && !regular.isEmpty()) {
            fields.add(at(regular.get(0), "name")
                    .error("a router of prefill and decode engines sends nothing to regular ones")
                    .withFix("give them a fleet of their own, or a worker_type"));
        }
        Object mode = arguments.router().values().get(PD);
        if (prefill && mode != null && !WholeNumber.isTrue(mode)) {
            fields.add(block.require("router." + PD)
                    .error("is off, and there are prefill and decode engines")
                    .withFix("leave it out: it follows from the pools"));
        }
        checkBackends(Stream.concat(prefills.stream(), decodes.stream()).toList());
    }

    /** A prefill engine hands its cache over as its decoders take it. */
    private void checkBackends(List<EnginePool> pools) {
        Map<String, EnginePool> backends = new LinkedHashMap<>();
        for (EnginePool pool : pools) {
            Object backend = pool.arguments().server().values().get(BACKEND);
            backends.putIfAbsent(backend == null ? "mooncake" : backend.toString(), pool);
        }
        if (backends.size() > 1) {
            List<String> words = new ArrayList<>(backends.keySet());
            EnginePool second = backends.get(words.get(1));
            fields.add(at(Objects.requireNonNull(second), "server." + BACKEND)
                    .error(
                            "the pools move their caches by %s: a prefill engine cannot hand its cache to such a decode engine"
                                    .formatted(String.join(" and by ", words))));
        }
    }

    /** The router would send a request to any of them. */
    private void checkModels(List<EnginePool> pools) {
        Map<Object, EnginePool> models = new LinkedHashMap<>();
        pools.forEach(pool -> models.putIfAbsent(
                String.valueOf(pool.arguments().server().values().get("model_path")), pool));
        if (models.size() > 1) {
            EnginePool second = List.copyOf(models.values()).get(1);
            fields.add(at(second, "model_path")
                    .error("pools '%s' and '%s' serve different models, and the router would send any request to either"
                            .formatted(List.copyOf(models.values()).get(0).name(), second.name()))
                    .withFix("launch a fleet for each model"));
        }
    }
}
