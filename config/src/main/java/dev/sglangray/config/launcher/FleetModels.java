/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import dev.sglangray.config.Config;
import dev.sglangray.config.Fields;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.error.ConfigProblem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which models a fleet serves, and whether its router can: what pools and external engines must be to one another. Immutable.
 */
public final class FleetModels {
    private static final String BACKEND = "disaggregation_transfer_backend";
    private static final String PD = "pd_disaggregation";
    private static final String GATEWAY = "enable_igw";
    private static final String LOAD_BALANCER = "mini_lb";

    private final List<EnginePool> pools;
    private final List<ExternalEngine> externals;

    /** Some engines, as a request sees them. */
    private record Serving(
            String model,
            WorkerType type,
            Config at,
            @Nullable EnginePool pool) {
        Config at(String key) {
            return at.select(key).orElse(at);
        }
    }

    private FleetModels(List<EnginePool> pools, List<ExternalEngine> externals) {
        this.pools = List.copyOf(pools);
        this.externals = externals.stream()
                .map(engine -> soleModel(pools).map(engine::serving).orElse(engine))
                .toList();
    }

    /** Those of a fleet, by the block's arguments and its pools. */
    public static FleetModels of(LauncherArgs arguments, List<EnginePool> pools) {
        return new FleetModels(pools, arguments.externalEngines());
    }

    private static Optional<String> soleModel(List<EnginePool> pools) {
        Set<String> models = new LinkedHashSet<>();
        pools.forEach(pool -> models.add(pool.model()));
        return models.size() == 1 ? models.stream().findFirst() : Optional.empty();
    }

    /** The names that the engines answer to, in the order of the configuration. */
    public List<String> names() {
        return Stream.concat(
                        pools.stream().map(EnginePool::model),
                        externals.stream().flatMap(engine -> engine.model().stream()))
                .distinct()
                .toList();
    }

    /** The engines that others keep, each with its model. */
    public List<ExternalEngine> externalEngines() {
        return externals;
    }

    /** Whether an update of the fleet's weights concerns a model. */
    public boolean updates(String model) {
        return pools.stream()
                .anyMatch(pool -> pool.updateWeights() && pool.model().equals(model));
    }

    /** The router's arguments with those that follow from the engines. */
    public Map<String, @Nullable Object> routerArguments(LauncherArgs arguments) {
        Map<String, @Nullable Object> router =
                new LinkedHashMap<>(arguments.router().values());
        if (names().size() > 1) {
            router.put(GATEWAY, true);
        } else if (!WholeNumber.isTrue(router.get(GATEWAY))
                && servings().stream().anyMatch(one -> one.type() == WorkerType.PREFILL)) {
            router.put(PD, true);
        }
        return router;
    }

    /** Those whose kind the fleet itself says: engines of a fleet without pools may be half of what another router serves with. */
    private List<Serving> servings() {
        return Stream.concat(
                        pools.stream()
                                .filter(pool -> pool.settings() != null || !externals.isEmpty())
                                .map(pool -> new Serving(
                                        pool.model(),
                                        pool.workerType(),
                                        Objects.requireNonNullElse(pool.settings(), pool.block()),
                                        pool)),
                        externals.stream()
                                .map(engine -> new Serving(
                                        engine.model().orElse(""), engine.workerType(), engine.settings(), null)))
                .toList();
    }

    /** What keeps the router from serving with these engines. */
    List<ConfigProblem> problems(LauncherArgs arguments, Config block) {
        Fields fields = new Fields();
        List<Serving> all = servings();
        if (!arguments.launchRouter()) {
            if (!externals.isEmpty()) {
                fields.add(block.require(ExternalEngine.KEY)
                        .error("there is no router that could send to them: launch_router is off"));
            }
            checkUpdated(fields);
            return fields.problems();
        }
        externals.stream()
                .filter(engine -> engine.model().isEmpty())
                .forEach(engine -> fields.add(engine.settings()
                        .error(
                                pools.isEmpty()
                                        ? "the fleet has no engines of its own whose model it could serve"
                                        : "the fleet serves several models, and it is not said which one this engine serves")
                        .withFix("add model: with the name that its /v1/models gives")));
        if (!fields.problems().isEmpty() || all.isEmpty()) {
            return fields.problems();
        }
        boolean several = names().size() > 1;
        for (String model : names()) {
            checkTypes(
                    all.stream().filter(one -> one.model().equals(model)).toList(),
                    several ? " of model '" + model + "'" : "",
                    fields);
        }
        checkNames(fields);
        checkUpdated(fields);
        if (several && WholeNumber.isTrue(arguments.router().values().get(LOAD_BALANCER))) {
            fields.add(block.require("router." + LOAD_BALANCER)
                    .error("is on, and the mini load balancer does not look at the model of a request"));
        }
        checkMode(
                arguments,
                block,
                PD,
                all.stream().anyMatch(one -> one.type() == WorkerType.PREFILL)
                        && !several
                        && !WholeNumber.isTrue(arguments.router().values().get(GATEWAY)),
                fields);
        checkMode(arguments, block, GATEWAY, several, fields);
        return fields.problems();
    }

    private static void checkTypes(List<Serving> servings, String ofModel, Fields fields) {
        Optional<Serving> prefill = first(servings, WorkerType.PREFILL);
        Optional<Serving> decode = first(servings, WorkerType.DECODE);
        if (prefill.isPresent() != decode.isPresent()) {
            Serving one = prefill.or(() -> decode).orElseThrow();
            fields.add(one.at("worker_type")
                    .error("there are %s engines%s and no %s engines, so that no request could be answered"
                            .formatted(one.type().configName(), ofModel, prefill.isPresent() ? "decode" : "prefill")));
        } else if (prefill.isPresent()) {
            first(servings, WorkerType.REGULAR)
                    .ifPresent(one -> fields.add(one.at("name")
                            .error("a router of prefill and decode engines%s sends nothing to regular ones"
                                    .formatted(ofModel))
                            .withFix("give them a fleet of their own, or a worker_type")));
        }
        checkBackends(servings, fields);
    }

    private static Optional<Serving> first(List<Serving> servings, WorkerType type) {
        return servings.stream().filter(one -> one.type() == type).findFirst();
    }

    /** A prefill engine hands its cache over as its decoders take it. */
    private static void checkBackends(List<Serving> servings, Fields fields) {
        Map<String, Serving> backends = new LinkedHashMap<>();
        for (Serving one : servings) {
            if (one.pool() != null && one.type() != WorkerType.REGULAR) {
                Object backend = one.pool().arguments().server().values().get(BACKEND);
                backends.putIfAbsent(backend == null ? "mooncake" : backend.toString(), one);
            }
        }
        if (backends.size() > 1) {
            List<String> words = new ArrayList<>(backends.keySet());
            fields.add(Objects.requireNonNull(backends.get(words.get(1)))
                    .at("server." + BACKEND)
                    .error(
                            "the pools move their caches by %s: a prefill engine cannot hand its cache to such a decode engine"
                                    .formatted(String.join(" and by ", words))));
        }
    }

    /** An update has the weights of one checkpoint. */
    private void checkUpdated(Fields fields) {
        List<EnginePool> updated =
                pools.stream().filter(EnginePool::updateWeights).toList();
        updated.stream()
                .filter(pool -> !pool.modelPath().equals(updated.get(0).modelPath()))
                .findFirst()
                .ifPresent(pool -> fields.add(pool.at("update_weights")
                        .error("an update has the weights of one model, and pools '%s' and '%s' serve different ones"
                                .formatted(updated.get(0).name(), pool.name()))
                        .withFix("set it to false for the pools of all models but the one that is trained")));
    }

    /** A name must stand for one set of weights, also after an update. */
    private void checkNames(Fields fields) {
        Map<String, EnginePool> byName = new LinkedHashMap<>();
        for (EnginePool pool : pools) {
            EnginePool first = byName.putIfAbsent(pool.model(), pool);
            if (first != null && !first.modelPath().equals(pool.modelPath())) {
                fields.add(pool.at("model_path")
                        .error("pools '%s' and '%s' serve different models under one name, '%s'"
                                .formatted(first.name(), pool.name(), pool.model()))
                        .withFix("give each its own served_model_name in server, or none"));
            } else if (first != null && first.updateWeights() != pool.updateWeights()) {
                fields.add(pool.at("update_weights")
                        .error("pools '%s' and '%s' serve one model, and would have different weights after an update"
                                .formatted(first.name(), pool.name()))
                        .withFix("give the frozen ones another served_model_name in server"));
            }
        }
    }

    private static void checkMode(LauncherArgs arguments, Config block, String key, boolean needed, Fields fields) {
        Object given = arguments.router().values().get(key);
        if (needed && given != null && !WholeNumber.isTrue(given)) {
            fields.add(block.require("router." + key)
                    .error("is off, and there are "
                            + (key.equals(PD) ? "prefill and decode engines" : "several models"))
                    .withFix("leave it out: it follows from the pools"));
        }
    }
}
