/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.placement.cluster.Placement;
import java.util.List;

/** Placements in the record's form. */
final class Placements {
    private Placements() {}

    static ArrayNode json(List<Placement> placements) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (Placement placement : placements) {
            ObjectNode one = all.addObject();
            one.put("rank", placement.rank());
            one.put("cluster_node_rank", placement.clusterNodeRank());
            one.put("placement_node_rank", placement.placementNodeRank());
            one.put("local_accelerator_rank", placement.localAcceleratorRank());
            one.put("accelerator_type", placement.acceleratorType().name());
            one.put("local_rank", placement.localRank());
            one.put("local_world_size", placement.localWorldSize());
            one.set("visible_accelerators", Corpus.json(placement.visibleAccelerators()));
            one.put("isolate_accelerator", placement.isolateAccelerator());
            one.set("local_hardware_ranks", Corpus.json(placement.localHardwareRanks()));
            one.put("node_group_label", placement.nodeGroupLabel());
        }
        return all;
    }

    /** The record with every local accelerator rank as a number; node placements have it as text. */
    static JsonNode normal(JsonNode recorded) {
        JsonNode copy = recorded.deepCopy();
        for (JsonNode placement : copy.path("placements")) {
            if (placement.path("local_accelerator_rank").isTextual()) {
                ((ObjectNode) placement)
                        .put(
                                "local_accelerator_rank",
                                placement.path("local_accelerator_rank").asInt());
            }
        }
        return copy;
    }
}
