/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import java.util.List;

/** Checks {@code cluster.profiling}, which RLinf validates although nothing here profiles. */
public final class ProfilingCheck {
    private static final List<String> BACKENDS = List.of("nsight", "rocprof_sys");

    private ProfilingCheck() {}

    public static void check(Config cluster, Fields fields) {
        Config profiling = cluster.select("profiling").filter(p -> !p.isNull()).orElse(null);
        if (profiling == null || !fields.isMap(profiling, "must be a map")) {
            return;
        }
        String backend = fields.require(profiling, "backend", "", Config::asString);
        if (!backend.isEmpty() && !BACKENDS.contains(backend)) {
            Config field = profiling.require("backend");
            fields.add(
                    ConfigProblem.error(field.position(), field.path(), "unknown profiling backend '" + backend + "'")
                            .withAllowed(BACKENDS)
                            .withFix(NearestName.didYouMean(backend, BACKENDS)));
        }
        fields.add(ConfigProblem.warning(profiling.position(), profiling.path(), "profiling has no effect here"));
    }
}
