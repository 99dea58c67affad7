/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.argument;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.argument.ArgumentSchema.Field;
import dev.sglangray.config.argument.ArgumentSchema.Kind;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Which arguments the releases of SGLang or of the router have, and what took the place of those that are gone. Immutable;
 * safe for use by many threads.
 */
public final class ArgumentHistory {
    /** The version of the JSON formats that is understood. */
    public static final int FORMAT = 1;

    /** Knows no release. */
    public static final ArgumentHistory NONE = new ArgumentHistory(Kind.SERVER, "", List.of(), List.of(), Map.of());

    private static final Pattern PRE_RELEASE = Pattern.compile("(a|b|rc|\\.dev|\\+).*");
    private static final SourcePosition SOURCE = new SourcePosition("<argument history>", 0, 0);

    private final Kind kind;
    private final String packageName;
    private final List<String> versions;
    private final List<Span> spans;
    private final Map<String, Change> changes;

    private ArgumentHistory(
            Kind kind, String packageName, List<String> versions, List<Span> spans, Map<String, Change> changes) {
        this.kind = kind;
        this.packageName = packageName;
        this.versions = versions;
        this.spans = spans;
        this.changes = changes;
    }

    /** A field in the releases that have it alike, by their places in the list of versions, both included. */
    private record Span(Field field, int first, int last) {}

    /** What became of an argument; without a successor, what to do instead. */
    private record Change(
            String successor, String since, @Nullable JsonNode values, String advice) {}

    /**
     * What an argument that is gone is given as.
     *
     * @param field the argument in its place
     * @param since the first release where it is so
     * @param value its value; null to leave it unset
     * @param converted whether its values are others than those of the argument that is gone
     * @param known whether there is a value for the one given
     */
    record Successor(Field field, String since, @Nullable Object value, boolean converted, boolean known) {}

    /**
     * Reads what {@code prepare schemas} writes, with the list of renamed arguments.
     *
     * @param releases the releases and their fields
     * @param renames what became of arguments, for all kinds
     * @throws ConfigException when they are not that
     */
    public static ArgumentHistory parse(String releases, String renames) {
        JsonNode root = read(releases);
        List<String> versions = new ArrayList<>();
        root.path("releases")
                .forEach(release -> versions.add(release.path("version").asText("")));
        List<Span> spans = new ArrayList<>();
        for (JsonNode row : root.path("fields")) {
            String last = row.path("to").asText(versions.get(versions.size() - 1));
            spans.add(new Span(
                    ArgumentSchema.field(row), versions.indexOf(row.path("from").asText("")), versions.indexOf(last)));
        }
        Kind kind = ArgumentSchema.kind(root);
        Map<String, Change> changes = new LinkedHashMap<>();
        for (JsonNode row : read(renames).path(kind.name().toLowerCase(Locale.ROOT))) {
            changes.put(
                    row.path("old").asText(""),
                    new Change(
                            row.path("new").asText(""),
                            row.path("since").asText(""),
                            row.get("values"),
                            row.path("advice").asText("")));
        }
        String packageName = root.path("package").asText("");
        return new ArgumentHistory(kind, packageName, List.copyOf(versions), List.copyOf(spans), changes);
    }

    private static JsonNode read(String json) {
        try {
            JsonNode root = new ObjectMapper().readTree(json);
            if (root.path("format").asInt(0) == FORMAT) {
                return root;
            }
            throw problem("the argument history has another format than " + FORMAT);
        } catch (JsonProcessingException e) {
            throw problem("the argument history is not JSON: " + e.getOriginalMessage());
        }
    }

    private static ConfigException problem(String message) {
        return new ConfigException(ConfigProblem.error(SOURCE, "", message));
    }

    /** The releases known, oldest first. */
    public List<String> versions() {
        return versions;
    }

    /** The release known that is nearest to a version: the last one before it, or else the first of all. */
    public String nearest(String version) {
        return versions.stream()
                .filter(known -> order().compare(known, version) <= 0)
                .reduce((before, after) -> after)
                .orElse(versions.get(0));
    }

    /** The arguments of a release; empty for one that is not known. */
    public Optional<ArgumentSchema> schema(String version) {
        int release = versions.indexOf(version);
        if (release < 0) {
            return Optional.empty();
        }
        Map<String, Field> fields = new LinkedHashMap<>();
        for (Span span : spans) {
            if (span.first() <= release && release <= span.last()) {
                fields.put(span.field().name(), span.field());
            }
        }
        return Optional.of(new ArgumentSchema(kind, packageName, version, fields, this));
    }

    /** Whether another argument took the place of one. */
    boolean isReplaced(String name) {
        Change change = changes.get(name);
        return change != null && !change.successor().isEmpty();
    }

    /** Which argument of a schema is in the place of one that it does not have. */
    Optional<Successor> successor(String name, @Nullable Object value, ArgumentSchema schema) {
        boolean converted = false;
        boolean known = true;
        Object given = value;
        Set<String> seen = new HashSet<>();
        Change change = changes.get(name);
        while (change != null && seen.add(change.successor())) {
            if (change.values() != null && given != null && known) {
                JsonNode equal = change.values().get(String.valueOf(given));
                converted = true;
                known = equal != null;
                given = equal == null ? null : scalar(equal);
            }
            Optional<Field> field = schema.field(change.successor());
            if (field.isPresent()) {
                return Optional.of(new Successor(field.get(), change.since(), given, converted, known));
            }
            change = changes.get(change.successor());
        }
        return Optional.empty();
    }

    private static @Nullable Object scalar(JsonNode node) {
        return node.isNull() ? null : node.isBoolean() ? (Object) node.asBoolean() : node.asText();
    }

    /** The arguments of a schema by names that they had in other versions. */
    public Map<String, String> formerNames(ArgumentSchema schema) {
        Map<String, String> names = new LinkedHashMap<>();
        for (String former : changes.keySet()) {
            if (schema.field(former).isEmpty()) {
                successor(former, null, schema)
                        .ifPresent(
                                successor -> names.put(former, successor.field().name()));
            }
        }
        return names;
    }

    /** Why a schema does not have an argument, to follow a sentence that says so; empty when no release has it either. */
    String whyAbsent(String name, String version) {
        int[] places = spans.stream()
                .filter(span -> span.field().name().equals(name))
                .flatMapToInt(span -> IntStream.of(span.first(), span.last()))
                .sorted()
                .toArray();
        if (places.length == 0) {
            return "";
        }
        String first = versions.get(places[0]);
        int last = places[places.length - 1];
        if (order().compare(version, first) < 0) {
            return ": it comes with " + first;
        }
        if (last + 1 < versions.size() && order().compare(version, versions.get(last)) > 0) {
            return ": it was dropped in " + versions.get(last + 1);
        }
        return ", unlike releases " + first + " to " + versions.get(last);
    }

    /** What to write instead of an argument that a schema does not have; empty when nothing is known. */
    String instead(String name, ArgumentSchema schema) {
        Change change = changes.get(name);
        if (change != null && !change.advice().isEmpty()) {
            return change.advice();
        }
        return changes.entrySet().stream()
                .filter(entry -> entry.getValue().successor().equals(name))
                .filter(entry -> schema.field(entry.getKey()).isPresent())
                .map(entry -> schema.version() + " has '" + entry.getKey() + "' in its place")
                .findFirst()
                .orElse("");
    }

    /** Releases by their numbers: 0.5.9 before 0.5.10 before 0.5.10.post1; a pre-release counts as what it leads to. */
    private static Comparator<String> order() {
        return (left, right) -> Arrays.compare(numbers(left), numbers(right));
    }

    private static int[] numbers(String version) {
        return Arrays.stream(PRE_RELEASE.matcher(version).replaceFirst("").split("[^0-9]+", -1))
                .filter(number -> !number.isEmpty() && number.length() < 10)
                .mapToInt(Integer::parseInt)
                .toArray();
    }
}
