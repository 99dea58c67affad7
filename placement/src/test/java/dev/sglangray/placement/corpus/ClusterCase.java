/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.NodeSnapshot;
import java.util.ArrayList;
import java.util.List;

/** The cluster part of a case: builds the snapshot and shows ours in the record's form. */
final class ClusterCase {
    private ClusterCase() {}

    static ClusterSnapshot snapshot(JsonNode cluster) {
        List<NodeSnapshot> nodes = new ArrayList<>();
        for (JsonNode node : cluster.path("nodes")) {
            int index = nodes.size();
            nodes.add(NodeSnapshot.of(
                    "node" + index,
                    node.path("ip").asText("10.0.0." + (index + 1)),
                    node.path("accelerators").asInt(),
                    AcceleratorType.valueOf(node.path("accelerator_type").asText("NV_GPU")),
                    node.path("accelerator_model").asText("H100"),
                    node.path("node_rank").isValueNode()
                                    && !node.path("node_rank").isNull()
                            ? NodeSnapshot.parseRank(node.path("node_rank").asText(), "node " + index)
                            : null));
        }
        return new ClusterSnapshot(nodes, "node" + cluster.path("head").asInt());
    }

    static ObjectNode json(Cluster cluster) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ArrayNode nodes = json.putArray("nodes");
        for (NodeInfo node : cluster.nodes()) {
            ObjectNode one = nodes.addObject();
            one.put("rank", node.rank());
            one.put("input_index", Integer.parseInt(node.snapshot().nodeId().substring("node".length())));
            one.put("ip", node.ip());
            one.set("labels", Corpus.json(node.labels()));
            one.put("accelerator_type", node.acceleratorType().name());
            one.put("accelerator_model", node.acceleratorModel());
            one.put("num_accelerators", node.accelerators());
            one.set("hardware", Corpus.json(node.hardware()));
        }
        ArrayNode groups = json.putArray("node_groups");
        for (NodeGroupInfo group : cluster.nodeGroups()) {
            ObjectNode one = groups.addObject();
            one.put("label", group.label());
            one.set("node_ranks", Corpus.json(group.nodeRanks()));
            one.put("hardware_type", group.hardwareType().orElse(null));
            one.put("ignore_hardware", group.ignoreHardware());
            one.put("hardware_count", group.hardwareCount());
            one.set("hardware_ranks_by_node", Corpus.json(group.hardwareRanksByNode()));
        }
        return json;
    }
}
