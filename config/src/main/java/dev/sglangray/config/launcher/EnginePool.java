/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Some engines of a fleet that are alike: an item of {@code pools} in the launcher's block. A fleet without {@code pools} has one,
 * without a name. RLinf has no pools; the word is that of Kubernetes' inference pools, as a group is all workers of a kind in RLinf.
 *
 * @param name the pool's name; empty for the only one of a fleet that names no pools
 * @param componentName the component that places its engines; null for the fleet's
 * @param engineCount how many engines it has; null for as many as its component's ranks have room for
 * @param arguments the block with what the pool says laid over it
 * @param environment variables of its engines, over those of their node groups
 * @param updateWeights whether its engines get the weights of an update; the others keep their own and serve on
 * @param block the launcher's block with what the pool says laid over it
 * @param settings what the pool itself says; null for the only one of a fleet that names no pools
 */
public record EnginePool(
        String name,
        @Nullable String componentName,
        @Nullable Integer engineCount,
        LauncherArgs arguments,
        Map<String, String> environment,
        boolean updateWeights,
        Config block,
        @Nullable Config settings) {
    /** Keys of {@code supervision} that hold for the whole fleet, and cannot differ between pools. */
    public static final List<String> FLEET_SUPERVISION =
            List.of("restart", "on_degraded", "on_node_loss", "node_loss_s");

    /** Copies the map. */
    public EnginePool {
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    }

    /**
     * The pools of a block, in order; none when it launches no engines.
     *
     * @param root the configuration that has the block
     * @param arguments the block, read
     * @throws ConfigException with every problem that a pool has
     */
    public static List<EnginePool> of(Config root, Config block, LauncherArgs arguments) {
        return new EnginePoolReader(root, block, arguments).read();
    }

    /**
     * A launcher's block without interpolations, as another program reads it: what a pool lays over the block is laid out, because a value
     * of the block that refers to one of the pool's refers to it no longer.
     *
     * @param pools those of the block
     * @return by key, values as of {@link Config#toJava}
     */
    public static Map<String, @Nullable Object> resolved(Config block, List<EnginePool> pools) {
        boolean named = pools.stream().anyMatch(pool -> pool.settings() != null);
        Map<String, @Nullable Object> resolved = new LinkedHashMap<>();
        block.entries().forEach((key, value) -> {
            if (!named || !EnginePoolReader.LAID_OUT.contains(key)) {
                resolved.put(key, key.equals(EnginePoolReader.KEY) && named ? null : value.toJava());
            }
        });
        if (named) {
            resolved.put(
                    EnginePoolReader.KEY,
                    pools.stream().map(EnginePool::resolved).toList());
        }
        return resolved;
    }

    private Map<String, @Nullable Object> resolved() {
        Map<String, @Nullable Object> item = new LinkedHashMap<>();
        Objects.requireNonNull(settings).entries().forEach((key, value) -> {
            if (!EnginePoolReader.LAID_OUT.contains(key)) {
                item.put(key, value.toJava());
            }
        });
        // What it is by default depends on the block's model, which is not laid out.
        item.put(EnginePoolReader.UPDATES, updateWeights);
        block.entries().forEach((key, value) -> {
            if (EnginePoolReader.LAID_OUT.contains(key)) {
                item.put(key, value.toJava());
            }
        });
        return item;
    }

    /**
     * A problem of the block with this pool laid over it, as one of the place where its value stands. What stands in neither is
     * reported for the pool.
     */
    public ConfigProblem own(ConfigProblem problem) {
        return settings == null ? problem : EnginePoolReader.own(problem, block.path(), settings);
    }

    /** The component that places its engines; empty for the fleet's. */
    public Optional<String> component() {
        return Optional.ofNullable(componentName);
    }

    /** How many engines it has; empty for as many as there is room for. */
    public OptionalInt engines() {
        return engineCount == null ? OptionalInt.empty() : OptionalInt.of(engineCount);
    }

    /** The name of the model that its engines answer to. SGLang takes the path where no name is given. */
    public String model() {
        return model(arguments.server().values());
    }

    /** The name that an engine with these arguments answers to; empty where they name no model. */
    public static String model(Map<String, ? extends @Nullable Object> serverArgs) {
        Object served = serverArgs.get("served_model_name");
        Object path = serverArgs.get("model_path");
        String name = served == null ? "" : served.toString();
        return name.isEmpty() && path != null ? path.toString() : name;
    }

    /** Where its engines find the weights that they start with. */
    String modelPath() {
        return String.valueOf(arguments.server().values().get("model_path"));
    }

    /** Where a key of the pool stands; the pool, or the block of a fleet without pools, where it stands nowhere. */
    Config at(String key) {
        Config own = settings == null ? block : settings;
        return own.select(key).orElse(own);
    }

    EnginePool withUpdateWeights(boolean other) {
        return new EnginePool(name, componentName, engineCount, arguments, environment, other, block, settings);
    }

    /** The router's word for its engines: {@code regular}, {@code prefill} or {@code decode}. */
    public WorkerType workerType() {
        return WorkerType.of(arguments.server().values());
    }
}
