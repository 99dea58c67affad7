/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.strategy.ComponentPlacement;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Clusters, node groups and component placements against RLinf's answers, every field of every placement. */
class ComponentCorpusTest {
    @Test
    void agrees() {
        Corpus.check("component", ComponentCorpusTest::judge);
    }

    private static @Nullable String judge(JsonNode row) {
        JsonNode input = row.path("input");
        JsonNode output = row.path("output");
        boolean works = Corpus.tagged(row, "yaml_list_node_group_rejected");
        boolean expected = works || (output.path("ok").asBoolean() && !Corpus.mustRefuse(row));
        String phase = "yaml";
        try {
            Config root = Config.parse(input.path("config_yaml").asText());
            phase = "cluster_config";
            ClusterConfig config = ClusterConfig.from(root);
            phase = "node_probe";
            Cluster cluster = Cluster.of(config, ClusterCase.snapshot(input));
            String problem = output.has("cluster")
                    ? Corpus.difference("cluster", output.path("cluster"), ClusterCase.json(cluster))
                    : null;
            if (problem != null) {
                return problem;
            }
            phase = "component_placement";
            ComponentPlacement placement = ComponentPlacement.of(config, cluster);
            phase = "component";
            return components(input, output, placement, cluster, works);
        } catch (PlacementException | ConfigException refusal) {
            if (expected) {
                return "refused: " + refusal.getMessage();
            }
            return Phases.late(phase, output)
                    ? "refused in " + phase + ", recorded: " + output + ": " + refusal.getMessage()
                    : null;
        }
    }

    private static @Nullable String components(
            JsonNode input, JsonNode output, ComponentPlacement placement, Cluster cluster, boolean works) {
        if (works) {
            for (String name : placement.components()) {
                placement.getStrategy(name).getPlacement(cluster, true);
            }
            return null;
        }
        String stage = output.path("stage").asText("component");
        if (output.path("error_message").asText().startsWith("Unsupported hardware type")) {
            return null; // Forks register robots of their own: here their types are warnings.
        }
        if (!stage.equals("component")) {
            return "accepted, recorded as refused in " + stage + ": " + output.path("error_message");
        }
        List<String> names = new ArrayList<>();
        input.path("query").forEach(name -> names.add(name.asText()));
        if (output.has("components_order")) {
            String problem = Corpus.difference(
                    "components_order", output.path("components_order"), Corpus.json(placement.components()));
            if (problem != null) {
                return problem;
            }
        }
        for (String name : names.isEmpty() ? placement.components() : names) {
            String problem = component(name, input, output.path("components").path(name), placement, cluster);
            if (problem != null) {
                return problem;
            }
        }
        return null;
    }

    private static @Nullable String component(
            String name, JsonNode input, JsonNode recorded, ComponentPlacement placement, Cluster cluster) {
        ObjectNode json;
        try {
            json = recorded.deepCopy();
            boolean flexible = placement.getStrategy(name) instanceof FlexiblePlacementStrategy;
            json.removeAll();
            json.put("ok", true);
            json.put("strategy", flexible ? "FLEXIBLE" : "NODE");
            json.put("world_size", placement.getWorldSize(name));
            json.set("hardware_ranks", Corpus.json(placement.getHardwareRanks(name)));
            json.set(
                    "placements",
                    Placements.json(placement
                            .getStrategy(name)
                            .getPlacement(
                                    cluster, input.path("isolate_accelerator").asBoolean(true))));
        } catch (PlacementException refusal) {
            return recorded.path("ok").asBoolean() ? name + " refused: " + refusal.getMessage() : null;
        }
        if (!recorded.path("ok").asBoolean()) {
            return name + " accepted, recorded " + recorded;
        }
        return Corpus.difference(name, Placements.normal(recorded), json);
    }
}
