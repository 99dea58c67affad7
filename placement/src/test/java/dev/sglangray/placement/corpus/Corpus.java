/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Recorded inputs with what RLinf made of them, one JSON object a line. The folder is the system property
 * {@code corpus.dir}, else {@code ../../shared/corpus} with all cases where it is at hand, else the repository's sample of them.
 */
final class Corpus {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final System.Logger LOG = System.getLogger(Corpus.class.getName());

    private Corpus() {}

    /** What we make of a case: a problem text when we disagree with the record, or null. */
    interface Judge extends Function<JsonNode, @Nullable String> {}

    static boolean tagged(JsonNode row, String... tags) {
        for (JsonNode tag : row.path("tags")) {
            if (List.of(tags).contains(tag.asText())) {
                return true;
            }
        }
        return false;
    }

    /** Accidents of the original that we refuse on purpose. */
    static boolean mustRefuse(JsonNode row) {
        return tagged(row, "nonexistent_device", "does_not_terminate", "internal_error");
    }

    /**
     * Runs the cases of a kind in all files of the folder; every disagreement must stand in {@code corpus-exceptions.txt}
     * with its reason.
     */
    static void check(String kind, Judge judge) {
        assertThat(folder()).as("the folder of recorded cases").isDirectory();
        Map<String, String> exceptions = exceptions();
        List<String> disagreements = new ArrayList<>();
        int total = 0;
        for (Path file : files()) {
            int cases = 0;
            int agree = 0;
            int excused = 0;
            for (JsonNode row : rows(file)) {
                if (!row.path("kind").asText().equals(kind)) {
                    continue;
                }
                cases++;
                String problem = judge.apply(row);
                if (problem == null) {
                    agree++;
                } else if (exceptions.containsKey(row.path("id").asText())) {
                    excused++;
                } else {
                    disagreements.add(row.path("id").asText() + ": " + problem);
                }
            }
            if (cases > 0) {
                LOG.log(
                        System.Logger.Level.INFO,
                        "{0}: {1} of {2} cases agree, {3} differ for a reason given",
                        file.getFileName(),
                        agree,
                        cases,
                        excused);
            }
            total += cases;
        }
        boolean chosen = System.getProperty("corpus.dir") != null;
        assumeTrue(total > 0 || !chosen, () -> "no recorded cases of kind " + kind + " at " + folder());
        assertThat(total).as("recorded cases of kind %s at %s", kind, folder()).isPositive();
        assertThat(disagreements).as("%s: %d cases", kind, total).isEmpty();
    }

    private static List<Path> files() {
        try (Stream<Path> files = Files.list(folder())) {
            return files.filter(file -> file.toString().endsWith(".jsonl"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path folder() {
        Path all = Path.of("../../shared/corpus");
        String chosen = System.getProperty("corpus.dir");
        return chosen != null ? Path.of(chosen) : Files.isDirectory(all) ? all : Path.of("../corpus");
    }

    private static List<JsonNode> rows(Path path) {
        try {
            List<JsonNode> rows = new ArrayList<>();
            for (String line : Files.readAllLines(path)) {
                if (!line.isBlank()) {
                    rows.add(JSON.readTree(line));
                }
            }
            return rows;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, String> exceptions() {
        try (InputStream in = Corpus.class.getResourceAsStream("/corpus-exceptions.txt")) {
            Map<String, String> reasons = new LinkedHashMap<>();
            if (in != null) {
                for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1)) {
                    if (!line.isBlank() && !line.startsWith("#")) {
                        String[] parts = line.split("\\s+", 2);
                        assertThat(parts)
                                .as("an exception has an id and a reason: %s", line)
                                .hasSize(2);
                        reasons.put(parts[0], parts[1]);
                    }
                }
            }
            return reasons;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Compares JSON values, numbers by value, and says where they differ. */
    static @Nullable String difference(String where, JsonNode expected, JsonNode actual) {
        if (expected.isNumber() && actual.isNumber()) {
            return expected.decimalValue().compareTo(actual.decimalValue()) == 0
                    ? null
                    : where + " is " + actual + ", recorded " + expected;
        }
        if (expected.isArray() && actual.isArray() && expected.size() == actual.size()) {
            for (int i = 0; i < expected.size(); i++) {
                String found = difference(where + "[" + i + "]", expected.get(i), actual.get(i));
                if (found != null) {
                    return found;
                }
            }
            return null;
        }
        if (expected.isObject() && actual.isObject()) {
            Set<String> names = new TreeSet<>();
            expected.fieldNames().forEachRemaining(names::add);
            actual.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                String found = difference(where + "." + name, expected.path(name), actual.path(name));
                if (found != null) {
                    return found;
                }
            }
            return null;
        }
        return expected.equals(actual) ? null : where + " is " + actual + ", recorded " + expected;
    }

    static JsonNode json(Object value) {
        return JSON.valueToTree(value);
    }

    static @Nullable Object javaValue(JsonNode node) {
        return JSON.convertValue(node, Object.class);
    }
}
