/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Lays environment variables over each other, by RLinf's rules: later ones win, but search paths are put
 * in front of what is there instead of replacing it, unless {@value #MODE} is {@code override}.
 */
public final class EnvironmentMerge {
    /** The variable of the lower layer that chooses how search paths merge: {@code append} (default) or {@code override}. */
    public static final String MODE = "RLINF_PATH_ENV_MERGE_MODE";

    private static final Set<String> SEARCH_PATHS = Set.of(
            "PYTHONPATH", "LD_LIBRARY_PATH", "PATH", "LIBRARY_PATH", "CMAKE_PREFIX_PATH", "PKG_CONFIG_PATH", "CPATH");

    private EnvironmentMerge() {}

    /**
     * Merges layers, the lowest first: for a process, what its node has, then the environment of its plan.
     *
     * @return a new ordered map
     */
    @SafeVarargs
    public static Map<String, String> merge(Map<String, String> base, Map<String, String>... over) {
        Map<String, String> merged = new LinkedHashMap<>(base);
        boolean override =
                merged.getOrDefault(MODE, "append").toLowerCase(Locale.ROOT).equals("override");
        for (Map<String, String> layer : over) {
            layer.forEach((name, value) -> {
                String existing = merged.get(name);
                merged.put(
                        name,
                        existing == null || override || !SEARCH_PATHS.contains(name) ? value : join(value, existing));
            });
        }
        return merged;
    }

    private static String join(String incoming, String existing) {
        Set<String> entries = new LinkedHashSet<>();
        for (String path : List.of(incoming, existing)) {
            for (String entry : path.split(":", -1)) {
                if (!entry.isEmpty()) {
                    entries.add(entry);
                }
            }
        }
        return String.join(":", entries);
    }
}
