/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import java.util.ArrayList;
import java.util.List;

/** The one check of a map's keys against those that its reader knows. Stateless. */
public final class KnownKeys {
    private KnownKeys() {}

    /** An error for each key that is not known, with all that are and, as its fix, the nearest; none when all are. */
    public static List<ConfigProblem> unknown(Config map, List<String> known) {
        List<ConfigProblem> problems = new ArrayList<>();
        List<String> keys = map.keys();
        List<Config> values = map.children();
        for (int i = 0; i < keys.size(); i++) {
            if (!known.contains(keys.get(i))) {
                Config value = values.get(i);
                problems.add(ConfigProblem.error(value.position(), value.path(), "unknown key '" + keys.get(i) + "'")
                        .withAllowed(known)
                        .withFix(NearestName.didYouMean(keys.get(i), known)));
            }
        }
        return problems;
    }
}
