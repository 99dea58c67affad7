/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What in a configuration is the fleet. Immutable; travels as JSON.
 *
 * @param componentName the key under {@code cluster.component_placement} that places the engines, or null for the only one, else
 *     {@code rollout}
 * @param argsKey the dotted key of the launcher's block, or null for {@code router_server_args}, else the only block of that form
 * @param explicitPlacement whether the component's own strategy places the engines, instead of packing its ranks
 */
public record FleetSelection(
        @Nullable String componentName, @Nullable String argsKey, boolean explicitPlacement) {
    /** The usual names, engines packed. */
    public static final FleetSelection USUAL = new FleetSelection(null, null, false);

    private static final String PLACEMENT = "cluster.component_placement";
    private static final String USUAL_COMPONENT = "rollout";
    private static final String USUAL_BLOCK = "router_server_args";

    /** The component that places the engines. */
    String component(Config root) {
        String wanted = componentName;
        Optional<Config> found = root.select(PLACEMENT).filter(Config::isMap);
        if (found.isEmpty()) {
            throw problem(root, PLACEMENT, "is missing: it says where the engines run, as in rollout: all");
        }
        Config placement = found.get();
        List<String> names = placement.keys().stream()
                .flatMap(key -> List.of(key.split(",")).stream())
                .map(String::strip)
                .collect(Collectors.toList());
        if (wanted != null && !names.contains(wanted)) {
            throw problem(
                    placement,
                    PLACEMENT,
                    "has no component '" + wanted + "'; it has " + String.join(", ", names)
                            + NearestName.didYouMean(wanted, names));
        }
        if (wanted != null) {
            return wanted;
        }
        if (names.size() == 1) {
            return names.get(0);
        }
        if (names.contains(USUAL_COMPONENT)) {
            return USUAL_COMPONENT;
        }
        throw problem(
                placement,
                PLACEMENT,
                "has several components (" + String.join(", ", names)
                        + ") and none is called rollout; name the engines' one with --component");
    }

    /** The launcher's block. */
    Config block(Config root) {
        return argsKey == null ? usualBlock(root) : namedBlock(root, argsKey);
    }

    private static Config namedBlock(Config root, String key) {
        Optional<Config> block = root.select(key);
        if (block.isEmpty()) {
            throw problem(
                    root,
                    key,
                    "is not in the configuration; its top-level keys are " + String.join(", ", root.keys())
                            + NearestName.didYouMean(key, root.keys()));
        }
        return block.get();
    }

    private static Config usualBlock(Config root) {
        Optional<Config> usual = root.select(USUAL_BLOCK).filter(Config::isMap);
        if (usual.isPresent()) {
            return usual.get();
        }
        List<String> candidates = new ArrayList<>();
        for (String key : root.keys()) {
            if (isMap(root, key) && (isMap(root, key + ".server") || isMap(root, key + ".router"))) {
                candidates.add(key);
            }
        }
        if (candidates.size() == 1) {
            return root.require(candidates.get(0));
        }
        throw problem(
                root,
                USUAL_BLOCK,
                candidates.isEmpty()
                        ? "is missing, and no other block has server or router in it; top-level keys are "
                                + String.join(", ", root.keys())
                        : "is missing, and several blocks could be meant (" + String.join(", ", candidates)
                                + "); name one with --args-key");
    }

    private static boolean isMap(Config root, String path) {
        return root.select(path).filter(Config::isMap).isPresent();
    }

    private static ConfigException problem(Config at, String key, String message) {
        return new ConfigException(ConfigProblem.error(at.position(), key, message));
    }
}
