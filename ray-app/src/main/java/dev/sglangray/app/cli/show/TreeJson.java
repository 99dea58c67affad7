/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.config.TreeView;
import dev.sglangray.config.TreeView.Row;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A resolved tree as JSON, with the origins beside it. */
public final class TreeJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private TreeJson() {}

    public static String of(TreeView view) {
        ObjectNode origins = JSON.objectNode();
        view.rows().forEach(row -> origins.set(row.path(), origin(row)));
        ObjectNode all = JSON.objectNode();
        all.set("config", tree(view.rows()));
        all.set("origins", origins);
        ObjectNode files = all.putObject("files");
        view.files().forEach((file, trail) -> {
            ArrayNode steps = files.putArray(file);
            trail.forEach(steps::add);
        });
        ArrayNode problems = all.putArray("problems");
        view.problems().forEach(problem -> problems.add(ProblemReport.of(problem)));
        return all.toString();
    }

    private static JsonNode tree(List<Row> rows) {
        if (rows.isEmpty()) {
            return JSON.objectNode();
        }
        Deque<JsonNode> open = new ArrayDeque<>();
        JsonNode root = rows.get(0).name() == null ? JSON.arrayNode() : JSON.objectNode();
        open.push(root);
        for (Row row : rows) {
            while (open.size() > row.depth() + 1) {
                open.pop();
            }
            JsonNode node = node(row);
            if (Objects.requireNonNull(open.peek()) instanceof ObjectNode map) {
                map.set(String.valueOf(row.name()), node);
            } else if (open.peek() instanceof ArrayNode list) {
                list.add(node);
            }
            open.push(node);
        }
        return root;
    }

    private static JsonNode node(Row row) {
        return switch (row.kind()) {
            case MAP -> JSON.objectNode();
            case LIST -> JSON.arrayNode();
            case VALUE -> scalar(row.value());
            case MISSING -> JSON.textNode("???");
            case BROKEN -> JSON.nullNode();
        };
    }

    private static JsonNode scalar(@Nullable Object value) {
        if (value instanceof Boolean truth) {
            return JSON.booleanNode(truth);
        } else if (value instanceof Double number && !number.isNaN() && !number.isInfinite()) {
            return JSON.numberNode(number);
        } else if (value instanceof Integer || value instanceof Long) {
            return JSON.numberNode(((Number) value).longValue());
        } else if (value instanceof BigInteger number) {
            return JSON.numberNode(number);
        } else if (value instanceof byte[] bytes) {
            return JSON.binaryNode(bytes);
        }
        return value == null ? JSON.nullNode() : JSON.textNode(value.toString());
    }

    private static ObjectNode origin(Row row) {
        ObjectNode origin = JSON.objectNode();
        origin.put("file", row.position().file());
        boolean placed = row.position().line() > 0;
        origin.put("line", placed ? row.position().line() : null);
        origin.put("column", placed ? row.position().column() : null);
        origin.put("interpolation", row.interpolation().isEmpty() ? null : row.interpolation());
        ArrayNode trail = origin.putArray("trail");
        row.trail().forEach(trail::add);
        return origin;
    }
}
