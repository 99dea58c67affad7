/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigProblem;
import java.util.ArrayList;
import java.util.List;

/** The one check of a map's keys against those that its reader knows. Stateless. */
public final class KnownKeys {
    private KnownKeys() {}

    /** An error for each key that is not known, with all that are and, as its fix, the nearest; none when all are. */
    public static List<ConfigProblem> unknown(Config map, List<String> known) {
        List<ConfigProblem> problems = new ArrayList<>();
        map.entries().forEach((key, value) -> {
            if (!known.contains(key)) {
                problems.add(value.error("unknown key '" + key + "'").withNames(key, known));
            }
        });
        return problems;
    }
}
