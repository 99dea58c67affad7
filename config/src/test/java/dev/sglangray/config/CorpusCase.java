/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A recorded case: an input, and what the original made of it. */
record CorpusCase(String id, String kind, JsonNode input, JsonNode output) {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    static List<CorpusCase> read(Path file) throws IOException {
        List<CorpusCase> cases = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            if (line.isBlank()) {
                continue;
            }
            JsonNode node = MAPPER.readTree(line);
            cases.add(new CorpusCase(
                    node.path("id").asText(), node.path("kind").asText(), node.path("input"), node.path("output")));
        }
        return cases;
    }

    boolean succeeds() {
        return output.path("ok").asBoolean();
    }

    List<String> texts(String key) {
        List<String> texts = new ArrayList<>();
        input.path(key).forEach(item -> texts.add(item.asText()));
        return texts;
    }

    /** The written tree in the corpus's encoding. */
    static JsonNode written(Config config) {
        return encode(config.node());
    }

    /** The resolved tree in the corpus's encoding; values that are missing stay. */
    static JsonNode resolved(Config config, Map<String, String> environment) {
        return encode(config.node(), new Interpolator(environment));
    }

    private static JsonNode encode(Node node, Interpolator interpolator) {
        Node seen = interpolator.resolve(node);
        if (seen instanceof MapNode map) {
            ObjectNode object = JSON.objectNode();
            map.entries().forEach((key, child) -> object.set(key(key), encode(child, interpolator)));
            return object;
        } else if (seen instanceof ListNode list) {
            ArrayNode array = JSON.arrayNode();
            list.items().forEach(item -> array.add(encode(item, interpolator)));
            return array;
        }
        return encode(((ValueNode) seen).value());
    }

    private static JsonNode encode(@Nullable Object value) {
        if (value instanceof MapNode map) {
            return encode(map.entries());
        } else if (value instanceof ListNode list) {
            return encode(list.items());
        } else if (value instanceof ValueNode node) {
            return encode(node.value());
        } else if (value instanceof Map<?, ?> map) {
            ObjectNode object = JSON.objectNode();
            map.forEach((key, child) -> object.set(key(key), encode(child)));
            return object;
        } else if (value instanceof List<?> list) {
            ArrayNode array = JSON.arrayNode();
            list.forEach(item -> array.add(encode(item)));
            return array;
        }
        return scalar(value);
    }

    private static JsonNode scalar(@Nullable Object value) {
        if (value instanceof Double number) {
            boolean plain = !number.isInfinite() && !number.isNaN() && number != Math.rint(number);
            return plain ? JSON.numberNode(number) : JSON.objectNode().put("@float", PythonText.repr(number));
        } else if (value instanceof byte[] bytes) {
            return JSON.objectNode().put("@bytes", HexFormat.of().formatHex(bytes));
        } else if (value instanceof Boolean truth) {
            return JSON.booleanNode(truth);
        } else if (value instanceof Integer number) {
            return JSON.numberNode(number);
        } else if (value instanceof Long number) {
            return JSON.numberNode(number);
        } else if (value instanceof BigInteger number) {
            return JSON.numberNode(number);
        }
        return value == null ? JSON.nullNode() : JSON.textNode((String) value);
    }

    private static String key(@Nullable Object key) {
        if (key instanceof String text) {
            return text;
        }
        String type =
                key instanceof Boolean ? "bool" : key instanceof Double ? "float" : key == null ? "NoneType" : "int";
        return "@" + type + ":" + PythonText.str(key);
    }
}
