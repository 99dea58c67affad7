/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** The steps of a launch in their order; we may refuse in an earlier one than RLinf did, never in a later one. */
final class Phases {
    private static final List<String> ORDER = List.of(
            "yaml", "cluster", "component_placement", "component", "strategy_init", "get_placement", "launcher");

    private Phases() {}

    static boolean late(String ours, JsonNode output) {
        String recorded = step(output.path("stage").asText());
        return ORDER.contains(recorded) && ORDER.indexOf(step(ours)) > ORDER.indexOf(recorded);
    }

    // Our Cluster checks what of the configuration needs ranks, so these three are one step here.
    private static String step(String stage) {
        return stage.equals("cluster_config") || stage.startsWith("node_probe") ? "cluster" : stage;
    }
}
