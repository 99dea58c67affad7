/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.schema;

import static dev.sglangray.config.schema.EditorSchema.anyOf;
import static dev.sglangray.config.schema.EditorSchema.choice;
import static dev.sglangray.config.schema.EditorSchema.count;
import static dev.sglangray.config.schema.EditorSchema.describe;
import static dev.sglangray.config.schema.EditorSchema.flag;
import static dev.sglangray.config.schema.EditorSchema.text;
import static dev.sglangray.config.schema.EditorSchema.type;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.config.cluster.HardwareConfig;

/** The JSON Schema of the section {@code cluster}. */
final class ClusterSchema {
    private static final String RANKS = "Ranks: a number, 0-3,5 or all.";

    private ClusterSchema() {}

    static ObjectNode cluster() {
        ObjectNode cluster = type("object");
        ObjectNode properties = cluster.putObject("properties");
        properties.set("num_nodes", count("How many nodes the cluster has."));
        ObjectNode placement = type("object");
        placement.set("additionalProperties", component());
        properties.set("component_placement", describe(placement, "Where each component runs."));
        properties.set("node_groups", list(nodeGroup(), "Labelled groups of nodes."));
        return cluster;
    }

    private static ObjectNode component() {
        ObjectNode mapping = type("object");
        ObjectNode properties = mapping.putObject("properties");
        properties.set("placement", ranks());
        properties.set(
                "node_group",
                anyOf(type("string"), type("number"), list(type("string"), "Several labels."))
                        .put("description", "The label of a node group, or several."));
        return anyOf(type("string"), type("integer"), mapping)
                .put("description", "Ranks, as in 0-3, 0-1:0-3,3-5 or all; or a mapping of node_group and placement.");
    }

    private static ObjectNode nodeGroup() {
        ObjectNode group = closed();
        ObjectNode properties = (ObjectNode) group.get("properties");
        properties.set("label", anyOf(type("string"), type("number")).put("description", "The group's name."));
        properties.set("node_ranks", nodes());
        properties.set("env_configs", list(environment(), "Software of some of the nodes."));
        properties.set("hardware", anyOf(hardware(), type("null")).put("description", "Hardware that is declared."));
        properties.set("hardware_type", text("The kind of hardware that counts."));
        properties.set("ignore_hardware", flag("Whether accelerators of these nodes do not count."));
        return group;
    }

    private static ObjectNode environment() {
        ObjectNode environment = closed();
        ObjectNode properties = (ObjectNode) environment.get("properties");
        properties.set("node_ranks", ranks());
        ObjectNode variable = type("object").put("minProperties", 1).put("maxProperties", 1);
        properties.set("env_vars", list(variable, "Environment variables, one 'NAME: value' an item."));
        properties.set("python_interpreter_path", text("The Python to use there."));
        return environment;
    }

    private static ObjectNode hardware() {
        ObjectNode hardware = closed();
        ObjectNode properties = (ObjectNode) hardware.get("properties");
        properties.set(
                "type",
                anyOf(choice(HardwareConfig.TYPES), type("string")).put("description", "The kind of hardware."));
        ObjectNode unit = type("object");
        unit.putObject("properties")
                .set("node_rank", describe(type("integer").put("minimum", 0), "The node that has it."));
        properties.set("configs", list(unit, "One item for each piece."));
        return hardware;
    }

    private static ObjectNode closed() {
        ObjectNode map = type("object");
        map.putObject("properties");
        map.put("additionalProperties", false);
        return map;
    }

    /** Ranks, or what the nodes were started with. */
    private static ObjectNode nodes() {
        ObjectNode selector = type("object");
        selector.put("additionalProperties", false).put("minProperties", 1);
        ObjectNode properties = selector.putObject("properties");
        properties.set(
                "ray_labels",
                anyOf(type("string"), type("object")).put("description", "A selector of Ray's node labels."));
        properties.set("ray_resource", describe(type("string"), "The name of a resource that the nodes have."));
        return anyOf(type("string"), type("integer"), selector).put("description", RANKS);
    }

    private static ObjectNode ranks() {
        return anyOf(type("string"), type("integer")).put("description", RANKS);
    }

    private static ObjectNode list(JsonNode items, String description) {
        ObjectNode list = type("array");
        list.set("items", anyOf(items));
        return anyOf(list, type("null")).put("description", description);
    }
}
