/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import dev.sglangray.config.Config;
import dev.sglangray.config.KnownKeys;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.launcher.EnginePool;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Reads {@link SupervisionPolicy} from the map {@code supervision} of the launcher's block. Stateless. */
public final class SupervisionPolicyReader {
    /** The key in the launcher's block. */
    public static final String KEY = "supervision";

    private static final List<String> KEYS = List.of(
            "restart",
            "max_restarts",
            "restart_window_s",
            "backoff_initial_s",
            "backoff_max_s",
            "probe",
            "probe_interval_s",
            "probe_timeout_s",
            "probe_failures",
            "on_degraded",
            "on_node_loss",
            "node_loss_s");

    private SupervisionPolicyReader() {}

    /**
     * The policy of a pool's engines: its own keys over those of the block.
     *
     * @throws ConfigException that lists every fault
     */
    public static SupervisionPolicy read(EnginePool pool) {
        Config own = pool.settings();
        Optional<Config> found =
                own == null ? Optional.empty() : own.select(KEY).filter(Config::isMap);
        List<ConfigProblem> problems = new ArrayList<>(found.map(Config::keys).orElse(List.of()).stream()
                .filter(EnginePool.FLEET_SUPERVISION::contains)
                .map(key -> found.get()
                        .require(key)
                        .error("holds for the whole fleet, and cannot differ between pools")
                        .withFix("set it in " + pool.block().path() + "." + KEY))
                .toList());
        SupervisionPolicy policy = SupervisionPolicy.DEFAULT;
        try {
            policy = read(pool.block());
        } catch (ConfigException e) {
            e.problems().stream().map(pool::own).forEach(problems::add);
        }
        ConfigException.throwIfErrors(problems);
        return policy;
    }

    /**
     * The policy; {@link SupervisionPolicy#DEFAULT} where the block says nothing.
     *
     * @throws ConfigException that lists every fault of the block
     */
    public static SupervisionPolicy read(Config block) {
        Optional<Config> found = block.select(KEY).filter(value -> !value.isNull());
        if (found.isEmpty()) {
            return SupervisionPolicy.DEFAULT;
        }
        Config map = found.get();
        if (!map.isMap()) {
            throw new ConfigException(problem(map, "must be a map, such as {restart: never}"));
        }
        ConfigException.throwIfErrors(KnownKeys.unknown(map, KEYS));
        SupervisionPolicy otherwise = SupervisionPolicy.DEFAULT;
        try {
            return new SupervisionPolicy(
                    word(map, "restart", RestartMode.class, otherwise.restart()),
                    whole(map, "max_restarts", otherwise.maxRestarts()),
                    number(map, "restart_window_s", otherwise.restartWindowSeconds()),
                    number(map, "backoff_initial_s", otherwise.backoffInitialSeconds()),
                    number(map, "backoff_max_s", otherwise.backoffMaxSeconds()),
                    word(map, "probe", ProbeKind.class, otherwise.probe()),
                    number(map, "probe_interval_s", otherwise.probeIntervalSeconds()),
                    number(map, "probe_timeout_s", otherwise.probeTimeoutSeconds()),
                    whole(map, "probe_failures", otherwise.probeFailures()),
                    word(map, "on_degraded", OnDegraded.class, otherwise.onDegraded()),
                    word(map, "on_node_loss", OnNodeLoss.class, otherwise.onNodeLoss()),
                    number(map, "node_loss_s", otherwise.nodeLossSeconds()));
        } catch (IllegalArgumentException refusal) {
            throw new ConfigException(problem(map, String.valueOf(refusal.getMessage())));
        }
    }

    private static int whole(Config map, String key, int otherwise) {
        return given(map, key).map(Config::asInt).orElse(otherwise);
    }

    private static double number(Config map, String key, double otherwise) {
        return given(map, key).map(Config::asDouble).orElse(otherwise);
    }

    private static <E extends Enum<E>> E word(Config map, String key, Class<E> type, E otherwise) {
        Optional<Config> field = given(map, key);
        if (field.isEmpty()) {
            return otherwise;
        }
        String text = field.get().asString();
        List<E> values = Arrays.asList(type.getEnumConstants());
        List<String> words = values.stream().map(SupervisionPolicyReader::word).toList();
        int index = words.indexOf(text.strip().toLowerCase(Locale.ROOT).replace('_', '-'));
        if (index < 0) {
            throw new ConfigException(problem(field.get(), "is none of the words known: " + text)
                    .withAllowed(words)
                    .withFix(NearestName.didYouMean(text, words)));
        }
        return values.get(index);
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static Optional<Config> given(Config map, String key) {
        return map.select(key).filter(value -> !value.isNull());
    }

    private static ConfigProblem problem(Config at, String message) {
        return ConfigProblem.error(at.position(), at.path(), message);
    }
}
