/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import dev.sglangray.placement.strategy.NodePlacementStrategy;
import dev.sglangray.placement.strategy.PackedPlacementStrategy;
import dev.sglangray.placement.strategy.PlacementStrategy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The placement strategies against RLinf's answers, every field of every placement. */
class StrategyCorpusTest {
    @Test
    void agrees() {
        Corpus.check("strategy", StrategyCorpusTest::judge);
    }

    private static @Nullable String judge(JsonNode row) {
        JsonNode input = row.path("input");
        JsonNode output = row.path("output");
        boolean expected = output.path("ok").asBoolean() && !Corpus.mustRefuse(row);
        String phase = "cluster_config";
        try {
            ClusterSnapshot snapshot = ClusterCase.snapshot(input);
            Cluster cluster;
            if (input.path("config_yaml").isTextual()) {
                ClusterConfig config = ClusterConfig.from(
                        Config.parse(input.path("config_yaml").asText()));
                phase = "node_probe";
                cluster = Cluster.of(config, snapshot);
            } else {
                phase = "node_probe";
                cluster = Cluster.of(snapshot.nodes().size(), List.of(), snapshot);
            }
            phase = "strategy_init";
            PlacementStrategy strategy = strategy(input.path("strategy"));
            phase = "get_placement";
            JsonNode placements = Placements.json(strategy.getPlacement(
                    cluster, input.path("isolate_accelerator").asBoolean(true)));
            return expected
                    ? Corpus.difference("placements", Placements.normal(output).path("placements"), placements)
                    : "accepted " + input.path("strategy") + ", recorded: " + output.path("error_message")
                            + row.path("tags");
        } catch (PlacementException | ConfigException refusal) {
            if (expected) {
                return "refused: " + refusal.getMessage();
            }
            return Phases.late(phase, output)
                    ? "refused in " + phase + ", recorded: " + output + ": " + refusal.getMessage()
                    : null;
        }
    }

    private static PlacementStrategy strategy(JsonNode spec) {
        String kind = spec.path("kind").asText();
        JsonNode group = kind.equals("packed") ? spec.path("node_group") : spec.path("node_group_label");
        List<String> labels =
                group.isMissingNode() || group.isNull() ? List.of() : NodeGroupLabels.parse(Corpus.javaValue(group));
        return switch (kind) {
            case "packed" ->
                new PackedPlacementStrategy(
                        spec.path("start_hardware_rank").asInt(),
                        spec.path("end_hardware_rank").asInt(),
                        spec.path("num_hardware_per_process").asInt(1),
                        spec.path("stride").asInt(1),
                        labels);
            case "flexible" -> {
                List<List<Integer>> processes = new ArrayList<>();
                spec.path("hardware_ranks_list").forEach(ranks -> processes.add(ints(ranks)));
                yield new FlexiblePlacementStrategy(processes, labels);
            }
            case "node" -> new NodePlacementStrategy(ints(spec.path("node_ranks")), labels);
            default -> throw new IllegalArgumentException(kind);
        };
    }

    private static List<Integer> ints(JsonNode array) {
        List<Integer> all = new ArrayList<>();
        array.forEach(value -> all.add(value.asInt()));
        return all;
    }
}
