/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.config.Config;
import dev.sglangray.config.KnownKeys;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.rank.AcceleratorIds;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@link GroupSettings} from the map {@code placement_group} of the launcher's block.
 *
 * <p>Stateless; safe for use by several threads.
 */
public final class GroupSettingsReader {
    private static final String KEY = "placement_group";
    private static final List<String> KEYS = List.of(
            "strategy",
            "accelerator_ids",
            "accelerator_share",
            "engine_resources",
            "rest",
            "name",
            "namespace",
            "bundles",
            "wait_for_nodes_s");

    private GroupSettingsReader() {}

    /**
     * The settings; {@link GroupSettings#DEFAULT} when the block has none.
     *
     * @throws ConfigException with the place of what is wrong
     */
    public static GroupSettings read(Config block) {
        Optional<Config> found = block.select(KEY).filter(value -> !value.isNull());
        if (found.isEmpty()) {
            return GroupSettings.DEFAULT;
        }
        Config map = found.get();
        if (!map.isMap()) {
            throw new ConfigException(map.error("must be a map, such as {strategy: PACK}"));
        }
        ConfigException.throwIfErrors(KnownKeys.unknown(map, KEYS));
        try {
            return new GroupSettings(
                    word(map, "strategy", GroupStrategy.class, GroupStrategy.PACK),
                    word(map, "accelerator_ids", AcceleratorIds.class, AcceleratorIds.RAY),
                    map.select("accelerator_share").map(Config::asDouble).orElse(1.0),
                    resources(map, "engine_resources"),
                    resources(map, "rest"),
                    text(map, "name"),
                    text(map, "namespace"),
                    numbers(map, "bundles"),
                    map.select("wait_for_nodes_s")
                            .filter(value -> !value.isNull())
                            .map(Config::asDouble)
                            .orElse(0.0));
        } catch (PlacementException refusal) {
            throw new ConfigException(map.error(String.valueOf(refusal.getMessage())));
        }
    }

    private static <E extends Enum<E>> E word(Config map, String key, Class<E> type, E fallback) {
        String text = text(map, key);
        if (text == null) {
            return fallback;
        }
        List<String> names =
                Arrays.stream(type.getEnumConstants()).map(Enum::name).toList();
        String name = text.toUpperCase(Locale.ROOT);
        if (!names.contains(name)) {
            throw new ConfigException(map.require(key)
                    .error("is none of the words known: " + text)
                    .withNames(text, names));
        }
        return Enum.valueOf(type, name);
    }

    private static Map<String, Double> resources(Config map, String key) {
        Map<String, Double> amounts = new LinkedHashMap<>();
        map.select(key).filter(value -> !value.isNull()).ifPresent(resources -> {
            if (!resources.isMap()) {
                throw new ConfigException(
                        resources.error("must be a map of Ray's resources, such as {CPU: 4, memory: 8.0e9}"));
            }
            resources.entries().forEach((name, amount) -> amounts.put(name, amount.asDouble()));
        });
        return amounts;
    }

    private static List<Integer> numbers(Config map, String key) {
        Optional<Config> found = map.select(key).filter(value -> !value.isNull());
        if (found.isEmpty()) {
            return List.of();
        }
        if (!found.get().isList()) {
            throw new ConfigException(found.get().error("must be a list of bundles by their numbers, such as [1, 0]"));
        }
        return found.get().children().stream().map(Config::asInt).toList();
    }

    private static @Nullable String text(Config map, String key) {
        return map.select(key)
                .filter(value -> !value.isNull())
                .map(Config::asString)
                .orElse(null);
    }
}
