/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.sglangray.config.Config;
import dev.sglangray.config.TreeView;
import dev.sglangray.config.TreeView.Row;
import dev.sglangray.config.error.ConfigException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A resolved tree as YAML with the origins as comments. */
public final class TreeText {
    private static final int WIDEST = 60;

    private TreeText() {}

    public static String of(TreeView view) {
        List<String> left = view.rows().stream().map(TreeText::yaml).toList();
        int width = left.stream()
                .mapToInt(String::length)
                .filter(length -> length <= WIDEST)
                .max()
                .orElse(0);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < left.size(); i++) {
            String text = left.get(i);
            String padded = text + " ".repeat(Math.max(0, width - text.length()));
            lines.add(padded + "  # " + origin(view.rows().get(i)));
        }
        view.files().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(file ->
                        lines.add(Paths.shorten("# " + file.getKey() + " <- " + String.join(" <- ", file.getValue()))));
        return String.join("\n", lines);
    }

    private static String yaml(Row row) {
        String indent = "  ".repeat(row.depth());
        String label = row.name() == null ? "-" : scalar(row.name()) + ":";
        String value = value(row);
        return indent + label + (value.isEmpty() ? "" : " " + value);
    }

    private static String value(Row row) {
        return switch (row.kind()) {
            case MAP -> row.size() == 0 ? "{}" : "";
            case LIST -> row.size() == 0 ? "[]" : "";
            case VALUE -> scalar(row.value());
            case MISSING -> "???";
            case BROKEN -> row.interpolation().isEmpty() ? TreeView.HIDDEN : quoted(row.interpolation());
        };
    }

    private static String origin(Row row) {
        StringBuilder origin = new StringBuilder(row.position().toString());
        if (row.kind() == TreeView.Kind.BROKEN) {
            origin.append(", cannot be resolved");
        } else if (!row.interpolation().isEmpty()) {
            origin.append(", ").append(row.interpolation().replace('\n', ' '));
        }
        row.trail().forEach(step -> origin.append(" <- ").append(step));
        return Paths.shorten(origin.toString());
    }

    /** A scalar that reads back as what it is. */
    static String scalar(@Nullable Object value) {
        if (value instanceof String text) {
            return readsBack(text) ? text : quoted(text);
        } else if (value instanceof Double number) {
            return number.isNaN() ? ".nan" : number.isInfinite() ? (number > 0 ? ".inf" : "-.inf") : number.toString();
        } else if (value instanceof byte[] bytes) {
            return "!!binary " + Base64.getEncoder().encodeToString(bytes);
        }
        return String.valueOf(value);
    }

    private static String quoted(String text) {
        return new TextNode(text).toString();
    }

    private static boolean readsBack(String text) {
        if (text.isBlank() || text.contains("${") || text.equals("???")) {
            return false;
        }
        try {
            return Map.of("k", text).equals(Config.parse("k: " + text, Map.of()).toJava())
                    && Map.of("k", List.of(text))
                            .equals(Config.parse("k:\n - " + text, Map.of()).toJava());
        } catch (ConfigException e) {
            return false;
        }
    }
}
