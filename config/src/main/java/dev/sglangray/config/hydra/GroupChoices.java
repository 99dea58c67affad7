/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.hydra.override.ConfigOverride;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which options of config groups are chosen: by overrides on the command line and in defaults lists, and what was in
 * fact chosen. Not thread-safe.
 */
final class GroupChoices {
    private static final class Choice {
        final @Nullable Object value;
        final SourcePosition position;
        final @Nullable String line;
        boolean used;

        Choice(@Nullable Object value, SourcePosition position, @Nullable String line) {
            this.value = value;
            this.position = position;
            this.line = line;
        }
    }

    private final Map<String, Choice> overrides = new LinkedHashMap<>();
    private final Map<String, Choice> deletions = new LinkedHashMap<>();
    private final List<GroupItem> added = new ArrayList<>();
    private final List<ConfigOverride> valueOverrides = new ArrayList<>();
    private final Map<String, @Nullable String> chosen = new LinkedHashMap<>();
    private final Map<String, Set<String>> chosenByGroup = new HashMap<>();

    /** Sorts overrides into those of config groups and those of values. */
    GroupChoices(ConfigRepository repository, List<ConfigOverride> lines) {
        for (ConfigOverride line : lines) {
            if (line.value() instanceof Map || !repository.hasGroup(line.key())) {
                valueOverrides.add(line);
            } else {
                addGroupOverride(line);
            }
        }
    }

    private void addGroupOverride(ConfigOverride line) {
        Object value = line.value();
        Choice choice = new Choice(value, line.position(), line.displayLine());
        switch (line.type()) {
            case FORCE_ADD ->
                throw problem(
                        line.position(),
                        line.key(),
                        "a config group cannot be added with '++'",
                        "write '" + line.displayLine().substring(1) + "'");
            case DELETE -> {
                if (value != null && !(value instanceof String)) {
                    throw problem(line.position(), line.key(), "the option of a config group must be a text", "");
                }
                deletions.put(line.keyWithPackage(), choice);
            }
            case ADD -> {
                requireOption(line, value);
                added.add(GroupItem.added(line));
            }
            case CHANGE -> {
                requireOption(line, value);
                overrides.put(line.keyWithPackage(), choice);
            }
        }
    }

    private static void requireOption(ConfigOverride line, @Nullable Object value) {
        boolean names = value instanceof List<?> list && list.stream().allMatch(String.class::isInstance);
        if (!(value instanceof String) && !names) {
            String message = "the option of a config group must be a text or a list of texts";
            throw problem(line.position(), line.key(), message, "");
        }
    }

    /** Overrides that are not about config groups. */
    List<ConfigOverride> valueOverrides() {
        return valueOverrides;
    }

    /** Items that the command line adds to the primary defaults list. */
    List<GroupItem> added() {
        return added.stream().map(GroupItem::copy).toList();
    }

    /** Takes up an {@code override} item of a defaults list; the first one for a key, and the command line, win. */
    void override(GroupItem item) {
        overrides.putIfAbsent(item.overrideKey(), new Choice(item.choice(), item.position(), null));
    }

    /** Gives an item the choice that an override makes for it, if one does. */
    void applyTo(GroupItem item) {
        Choice choice = overrides.get(item.overrideKey());
        if (choice != null) {
            item.choose(choice.value);
            choice.used = true;
        }
    }

    /** Whether the command line deletes an item; notes that it did. */
    boolean delete(DefaultItem item) {
        if (!(item instanceof GroupItem)) {
            return false;
        }
        Choice deletion = deletions.get(item.overrideKey());
        if (deletion == null || (deletion.value != null && !deletion.value.equals(item.name()))) {
            return false;
        }
        deletion.used = true;
        return true;
    }

    /** Notes what an item chose; two different choices for one key are an error. */
    void note(DefaultItem item) {
        if (!(item instanceof GroupItem)) {
            return;
        }
        String key = item.overrideKey();
        if (chosen.containsKey(key) && !Objects.equals(chosen.get(key), item.name())) {
            String message =
                    "the config group '" + key + "' is chosen twice, as " + chosen.get(key) + " and " + item.name();
            throw problem(
                    item.position(),
                    key,
                    message,
                    "write 'override " + key + ": " + item.name() + "' in a defaults list, or '" + key + "="
                            + item.name() + "' on the command line");
        }
        chosen.putIfAbsent(key, item.name());
        chosenByGroup
                .computeIfAbsent(item.groupPath(), group -> new TreeSet<>())
                .add(key);
    }

    /** What was chosen so far, by key. */
    Map<String, @Nullable String> chosen() {
        return chosen;
    }

    /** The overrides and deletions that met no item. */
    List<ConfigProblem> unused() {
        List<ConfigProblem> problems = new ArrayList<>();
        overrides.forEach((key, choice) -> {
            if (!choice.used) {
                problems.add(unused(key, choice));
            }
        });
        deletions.forEach((key, choice) -> {
            if (!choice.used) {
                String shown = choice.value == null ? key : key + "=" + choice.value;
                problems.add(ConfigProblem.error(
                        choice.position, key, "cannot be deleted: no defaults list has '" + shown + "'"));
            }
        });
        return problems;
    }

    private ConfigProblem unused(String key, Choice choice) {
        String group = key.indexOf('@') < 0 ? key : key.substring(0, key.indexOf('@'));
        Set<String> keys = chosenByGroup.getOrDefault(group, Set.of());
        String fix = keys.isEmpty()
                ? NearestName.didYouMean(key, chosen.keySet())
                : "did you mean '" + String.join("' or '", keys) + "'?";
        if (choice.line != null) {
            fix += (fix.isEmpty() ? "" : " or ") + "to add it to the defaults list, write '+" + choice.line + "'";
        }
        return ConfigProblem.error(choice.position, key, "cannot be overridden: no defaults list has this config group")
                .withFix(fix);
    }

    private static ConfigException problem(SourcePosition position, String key, String message, String fix) {
        return new ConfigException(ConfigProblem.error(position, key, message).withFix(fix));
    }
}
