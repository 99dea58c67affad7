/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.show;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.plan.BundlePlan;
import dev.sglangray.placement.plan.EnginePart;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.GroupPlan;
import dev.sglangray.placement.plan.RouterPlan;
import java.io.IOException;
import java.io.Writer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The JSON of plans. Values of secret-looking keys are hidden. */
final class PlanJson {
    private static final String HIDDEN = Secrets.HIDDEN;
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .disable(SerializationFeature.FLUSH_AFTER_WRITE_VALUE);

    private PlanJson() {}

    static String write(Map<String, @Nullable Object> json) {
        try {
            return JSON.writeValueAsString(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a plan could not be written as JSON", e);
        }
    }

    /** Writes a plan item by item, so that a large one never lies in memory as text. */
    static void write(FleetPlan plan, Cluster cluster, Writer out) throws IOException {
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
            json.writeStartObject();
            json.writeStringField("fleet", plan.fleetName());
            json.writePOJOField("placement_group", group(plan.group()));
            json.writePOJOField("warnings", plan.warnings());
            array(json, "nodes", cluster.nodes(), PlanJson::node);
            array(json, "engines", plan.engines(), PlanJson::engine);
            json.writePOJOField("router", plan.router().map(PlanJson::router).orElse(null));
            array(json, "bundles", plan.bundles(), PlanJson::bundle);
            json.writeEndObject();
        }
    }

    private static <T> void array(
            JsonGenerator json, String name, List<T> items, Function<T, Map<String, @Nullable Object>> shape)
            throws IOException {
        json.writeArrayFieldStart(name);
        for (T item : items) {
            json.writePOJO(shape.apply(item));
        }
        json.writeEndArray();
    }

    private static Map<String, @Nullable Object> group(GroupPlan group) {
        if (group instanceof GroupPlan.Existing existing) {
            return ordered(
                    "name", existing.name(),
                    "existing", true,
                    "namespace", existing.namespace().orElse(null));
        }
        GroupPlan.Own own = (GroupPlan.Own) group;
        return ordered(
                "name",
                own.name(),
                "existing",
                false,
                "strategy",
                own.strategy().name());
    }

    private static Map<String, @Nullable Object> bundle(BundlePlan bundle) {
        return ordered("index", bundle.index(), "node_ip", bundle.nodeIp(), "resources", bundle.resources());
    }

    private static Map<String, @Nullable Object> node(NodeInfo node) {
        return ordered(
                "rank", node.rank(),
                "node_id", node.snapshot().nodeId(),
                "ip", node.ip(),
                "hostname", node.snapshot().hostname(),
                "groups", node.labels(),
                "accelerators", node.accelerators(),
                "accelerator_type", node.acceleratorType().name(),
                "accelerator_model", node.acceleratorModel());
    }

    static Map<String, @Nullable Object> engine(EnginePlan engine) {
        Placement placement = engine.placement();
        Map<String, @Nullable Object> json = ordered(
                "rank", engine.rank(),
                "actor", engine.actorName(),
                "group", engine.groupName(),
                "server_type", engine.serverType(),
                "node_rank", engine.node().rank(),
                "node_ip", engine.node().ip(),
                "bundle", engine.bundleIndex(),
                "resources", engine.resources(),
                "node_group", placement.nodeGroupLabel(),
                "local_rank", placement.localRank(),
                "local_world_size", placement.localWorldSize(),
                "accelerators", placement.localHardwareRanks(),
                "server_args", masked(engine.serverArgs()),
                "environment", masked(engine.environment()),
                "python", engine.pythonInterpreter());
        if (!engine.pool().isEmpty()) {
            json.put("pool", engine.pool());
        }
        if (engine.spansNodes()) {
            json.put(
                    "parts",
                    IntStream.range(0, engine.parts().size())
                            .mapToObj(number -> part(engine, number))
                            .toList());
        }
        return json;
    }

    private static Map<String, @Nullable Object> part(EnginePlan engine, int number) {
        EnginePart part = engine.parts().get(number);
        return ordered(
                "part", number,
                "actor", engine.actorName(number),
                "node_rank", part.node().rank(),
                "node_ip", part.node().ip(),
                "bundle", part.bundleIndex(),
                "resources", part.resources(),
                "node_group", part.placement().nodeGroupLabel(),
                "accelerators", part.placement().localHardwareRanks(),
                "environment", masked(part.environment()),
                "python", part.pythonInterpreter());
    }

    static Map<String, @Nullable Object> router(RouterPlan router) {
        return ordered(
                "actor", router.actorName(),
                "group", router.groupName(),
                "router_type", router.routerType(),
                "node_rank", router.node().rank(),
                "node_ip", router.node().ip(),
                "bundle", router.bundleIndex(),
                "resources", router.resources(),
                "router_args", masked(router.routerArgs()),
                "environment", masked(router.environment()),
                "python", router.pythonInterpreter());
    }

    static Map<String, @Nullable Object> masked(Map<?, ? extends @Nullable Object> values) {
        Map<String, @Nullable Object> masked = new LinkedHashMap<>();
        values.forEach((key, value) -> masked.put(String.valueOf(key), masked(String.valueOf(key), value)));
        return masked;
    }

    private static @Nullable Object masked(String key, @Nullable Object value) {
        if (Secrets.hides(key, value)) {
            return HIDDEN;
        }
        if (value instanceof Map<?, ?> map) {
            return masked(map);
        }
        if (value instanceof String text) {
            return Secrets.inText(text);
        }
        return value instanceof List<?> list
                ? list.stream().map(item -> masked(key, item)).toList()
                : value;
    }

    static Map<String, @Nullable Object> ordered(@Nullable Object... namesAndValues) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return map;
    }
}
