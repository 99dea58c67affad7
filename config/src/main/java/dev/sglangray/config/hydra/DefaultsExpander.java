/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.interpolation.Interpolator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Expands defaults lists into a tree, with Hydra's order of evaluation: from the end of each list. Not thread-safe. */
final class DefaultsExpander {
    private static final int MAX_DEPTH = 64;

    private final ConfigRepository repository;
    private final GroupChoices choices;
    private final Interpolator interpolator;

    DefaultsExpander(ConfigRepository repository, GroupChoices choices, Interpolator interpolator) {
        this.repository = repository;
        this.choices = choices;
        this.interpolator = interpolator;
    }

    /**
     * Expands the primary configuration, then Hydra's own, whose groups the primary one may override.
     *
     * @return the steps of the composition in order, Hydra's own first
     */
    List<DefaultsTree.Step> expand(String primaryName) {
        SourcePosition nowhere = new SourcePosition(primaryName, 0, 0);
        ConfigItem primary = new ConfigItem(primaryName, null, false, nowhere);
        primary.markPrimary();
        DefaultsTree primaryTree = new DefaultsTree(primary, null);
        grow(primaryTree, false, 0);
        DefaultsTree hydraTree = new DefaultsTree(new ConfigItem("hydra/config", null, false, nowhere), null);
        grow(hydraTree, false, 0);
        List<DefaultsTree.Step> steps = new ArrayList<>(hydraTree.steps());
        steps.addAll(primaryTree.steps());
        return steps;
    }

    private void grow(DefaultsTree tree, boolean interpolated, int depth) {
        DefaultItem parent = tree.item();
        boolean named = parent.name() != null && !parent.isMissing();
        Optional<ConfigFile> loaded = named ? load(tree) : Optional.empty();
        loaded.ifPresent(file -> parent.header(file.header()));
        if (choices.delete(parent)) {
            parent.markDeleted();
            return;
        }
        choices.note(parent);
        if (parent.name() == null) {
            return;
        }
        if (parent.isMissing()) {
            throw DefaultsProblems.notChosen(parent, repository);
        }
        if (loaded.isEmpty()) {
            if (parent.isOptional()) {
                parent.markDeleted();
                return;
            }
            throw DefaultsProblems.notFound(tree, repository);
        }
        checkCircle(tree, depth);
        List<DefaultItem> items = items(parent, loaded.get());
        boolean ownSelf = items.stream().anyMatch(DefaultItem::isSelf);
        if (!items.isEmpty() || (parent.isPrimary() && !choices.added().isEmpty())) {
            withSelf(parent, items);
        }
        if (parent.isPrimary()) {
            items.addAll(choices.added());
        }
        takeUpOverrides(items, parent, interpolated);
        List<DefaultsTree> children = children(tree, items, interpolated, depth);
        resolveInterpolations(tree, items, ownSelf, children, depth);
        Collections.reverse(children);
        tree.children(children);
    }

    /** What is wrong in a file is reported together with the defaults lists that name it. */
    private Optional<ConfigFile> load(DefaultsTree tree) {
        try {
            return repository.load(tree.item().configPath());
        } catch (ConfigException e) {
            List<String> trail = tree.trail();
            throw new ConfigException(e.problems().stream()
                    .map(problem -> problem.withTrail(trail))
                    .toList());
        }
    }

    private static List<DefaultItem> items(DefaultItem parent, ConfigFile file) {
        List<DefaultItem> items = new ArrayList<>();
        for (DefaultItem item : file.defaults()) {
            DefaultItem copy = item.copy();
            if (copy.isSelf() && items.stream().anyMatch(DefaultItem::isSelf)) {
                throw DefaultsProblems.of(
                        copy, "'_self_' stands twice in the defaults list of '" + parent.configPath() + "'");
            }
            items.add(copy);
        }
        return items;
    }

    /** Without {@code _self_}, the configuration itself comes last: Hydra 1.1's order. */
    private static void withSelf(DefaultItem parent, List<DefaultItem> items) {
        boolean hasSelf = items.stream().anyMatch(DefaultItem::isSelf);
        boolean onlyOverrides = !items.isEmpty()
                && items.stream().allMatch(item -> item instanceof GroupItem group && group.isOverride());
        if (!hasSelf && !onlyOverrides) {
            items.add(new ConfigItem(ConfigItem.SELF, null, false, parent.position()));
        }
    }

    private void takeUpOverrides(List<DefaultItem> items, DefaultItem parent, boolean interpolated) {
        GroupItem lastOverride = null;
        for (DefaultItem item : items) {
            if (item.isSelf()) {
                continue;
            }
            item.placeUnder(parent.groupPath(), parent.finalPackage());
            GroupItem group = item instanceof GroupItem g ? g : null;
            boolean legacy =
                    group != null && !group.isOverride() && group.group().startsWith("hydra/");
            boolean free = legacy || (group != null && (group.isOverride() || group.isExternallyAdded()));
            if (lastOverride != null && !free) {
                throw DefaultsProblems.of(
                        item,
                        "stands behind the override of '" + lastOverride.overrideKey()
                                + "'; overrides must be at the end of a defaults list");
            }
            if (group == null) {
                continue;
            }
            if (legacy) {
                group.markOverride();
            } else if (group.isOverride()) {
                lastOverride = group;
            }
            if (group.isOverride()) {
                if (interpolated) {
                    throw DefaultsProblems.of(
                            item, "a configuration chosen by an interpolation cannot override config groups");
                }
                choices.override(group);
            }
        }
    }

    private List<DefaultsTree> children(DefaultsTree tree, List<DefaultItem> items, boolean interpolated, int depth) {
        List<DefaultsTree> children = new ArrayList<>();
        for (int i = items.size() - 1; i >= 0; i--) {
            DefaultItem item = items.get(i);
            if (item.isSelf()) {
                children.add(new DefaultsTree(item, tree));
                continue;
            }
            List<String> options = null;
            if (item instanceof GroupItem group) {
                if (group.isOverride()) {
                    continue;
                }
                choices.applyTo(group);
                options = group.options();
            }
            if (options != null) {
                addOptions((GroupItem) item, options, tree, children, interpolated, depth);
            } else if (item.interpolated() != null) {
                children.add(new DefaultsTree(item, tree));
            } else {
                children.add(grown(item, tree, interpolated, depth));
            }
        }
        return children;
    }

    private void addOptions(
            GroupItem group,
            List<String> options,
            DefaultsTree tree,
            List<DefaultsTree> children,
            boolean interpolated,
            int depth) {
        for (int i = options.size() - 1; i >= 0; i--) {
            String option = options.get(i);
            if (option.contains("${")) {
                throw DefaultsProblems.of(group, "the options in a list cannot be interpolations");
            }
            ConfigItem item = new ConfigItem(
                    group.group() + "/" + option, group.packageName(), group.isOptional(), group.position());
            item.placeUnder(tree.item().groupPath(), tree.item().finalPackage());
            children.add(grown(item, tree, interpolated, depth));
        }
    }

    private DefaultsTree grown(DefaultItem item, DefaultsTree parent, boolean interpolated, int depth) {
        DefaultsTree child = new DefaultsTree(item, parent);
        grow(child, interpolated, depth + 1);
        return child;
    }

    /** Interpolations name choices of other groups, so they wait until those are known. */
    private void resolveInterpolations(
            DefaultsTree tree, List<DefaultItem> items, boolean ownSelf, List<DefaultsTree> children, int depth) {
        ChoiceInterpolation interpolation = null;
        for (int i = 0; i < children.size(); i++) {
            DefaultItem item = children.get(i).item();
            String text = item.isSelf() ? null : item.interpolated();
            if (text == null) {
                continue;
            }
            if (interpolation == null) {
                interpolation = new ChoiceInterpolation(choices.chosen(), items, ownSelf, interpolator);
            }
            item.resolveTo(interpolation.resolve(text, item.position()));
            item.placeUnder(tree.item().groupPath(), tree.item().finalPackage());
            children.set(i, grown(item, tree, true, depth));
        }
    }

    private static void checkCircle(DefaultsTree tree, int depth) {
        String path = tree.item().configPath();
        StringBuilder chain = new StringBuilder(path);
        for (DefaultsTree above = tree.parent(); above != null; above = above.parent()) {
            chain.insert(0, above.item().configPath() + " -> ");
            if (above.item().configPath().equals(path)) {
                throw DefaultsProblems.of(tree.item(), "defaults lists lead in a circle: " + chain);
            }
        }
        if (depth > MAX_DEPTH) {
            throw DefaultsProblems.of(tree.item(), "defaults lists are nested deeper than " + MAX_DEPTH + " levels");
        }
    }
}
