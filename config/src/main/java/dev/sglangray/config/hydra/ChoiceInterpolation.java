/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.ValueNode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Interpolations in defaults lists: they see the choices of config groups, and the list itself as {@code defaults}. */
final class ChoiceInterpolation {
    private final MapNode choices = new MapNode(SourcePosition.PROGRAM);
    private final Interpolator interpolator;

    ChoiceInterpolation(
            Map<String, @Nullable String> chosen,
            List<DefaultItem> items,
            boolean withSelf,
            Interpolator interpolator) {
        this.interpolator = interpolator;
        chosen.forEach((key, option) -> choices.put(key, new ValueNode(option, SourcePosition.PROGRAM)));
        ListNode list = new ListNode(SourcePosition.PROGRAM);
        choices.put("defaults", list);
        for (DefaultItem item : items) {
            if (item instanceof GroupItem group) {
                MapNode entry = new MapNode(item.position());
                entry.put(group.overrideKey(), new ValueNode(group.name(), item.position()));
                list.add(entry);
            } else if (withSelf || !item.isSelf()) {
                list.add(new ValueNode(item.configPath(), item.position()));
            }
        }
    }

    /** The text that an interpolation comes to. */
    String resolve(String text, SourcePosition position) {
        ValueNode node = new ValueNode(text, position);
        node.attach(choices, "defaults");
        Node resolved;
        try {
            resolved = interpolator.resolve(node);
        } catch (ConfigException e) {
            List<String> known = choices.entries().keySet().stream()
                    .map(String::valueOf)
                    .filter(key -> !key.equals("defaults"))
                    .toList();
            throw new ConfigException(e.problems().get(0).withAllowed(known));
        }
        if (resolved instanceof ValueNode value && value.value() instanceof String option) {
            return option;
        }
        throw new ConfigException(
                ConfigProblem.error(position, "defaults", "'" + text + "' must come to the name of a configuration"));
    }
}
