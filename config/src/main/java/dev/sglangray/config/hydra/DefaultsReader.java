/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.ValueNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Takes the defaults list out of a configuration. */
final class DefaultsReader {
    private static final String SHAPE = "write '- group: option', '- path/of/config' or '- _self_'";

    private DefaultsReader() {}

    /** The configuration with its defaults list apart. The tree is changed. */
    static ConfigFile read(String path, Node tree, @Nullable String header) {
        List<DefaultItem> items = new ArrayList<>();
        Node defaults = tree instanceof MapNode map ? map.remove("defaults") : null;
        if (defaults instanceof ListNode list) {
            list.items().forEach(item -> items.add(item(item)));
        } else if (defaults != null) {
            throw problem(defaults, "must be a list");
        }
        return new ConfigFile(path, tree, header, List.copyOf(items));
    }

    private static DefaultItem item(Node item) {
        if (item instanceof ValueNode value && value.value() instanceof String text) {
            Target target = Target.of(text);
            if (target.group().equals(ConfigItem.SELF) && target.packageName() != null) {
                throw problem(item, "'_self_' cannot have a package");
            }
            return new ConfigItem(target.group(), target.packageName(), false, item.position());
        }
        if (item instanceof MapNode map) {
            return group(map);
        }
        throw problem(item, "an item must be a text or 'group: option'");
    }

    private static GroupItem group(MapNode map) {
        boolean oldOptional = false;
        if (map.entries().size() > 1 && map.get("optional") instanceof ValueNode optional) {
            // The form of Hydra 1.0: a second key 'optional: true' beside the group.
            map.remove("optional");
            oldOptional = Boolean.TRUE.equals(optional.value());
        }
        if (map.entries().size() != 1) {
            throw problem(
                    map,
                    "an item must be one 'group: option', not " + map.entries().size());
        }
        Map.Entry<Object, Node> entry = map.entries().entrySet().iterator().next();
        if (!(entry.getKey() instanceof String key)) {
            throw problem(map, "the name of a config group must be a text");
        }
        Target target = Target.of(key);
        String[] words = target.group().split(" ", -1);
        boolean optional = oldOptional;
        boolean override = false;
        for (int i = 0; i < words.length - 1; i++) {
            optional |= words[i].equals("optional");
            override |= words[i].equals("override");
            if (!words[i].equals("optional") && !words[i].equals("override")) {
                break;
            }
        }
        String group = words[words.length - 1];
        if (group.isEmpty()) {
            throw problem(map, "the name of the config group is missing");
        }
        return new GroupItem(
                group,
                choice(entry.getValue()),
                target.packageName(),
                optional,
                override,
                entry.getValue().position());
    }

    private static @Nullable Object choice(Node node) {
        if (node instanceof ListNode list) {
            List<String> names = new ArrayList<>();
            for (Node item : list.items()) {
                if (!(item instanceof ValueNode value) || !(value.value() instanceof String name)) {
                    throw problem(item, "the options of a config group must be texts");
                }
                names.add(name);
            }
            return names;
        }
        Object value = node instanceof ValueNode scalar ? scalar.value() : node;
        if (value == null || value instanceof String) {
            return value;
        }
        throw problem(node, "the option of a config group must be a text, a list of texts or null");
    }

    private static ConfigException problem(Node node, String message) {
        SourcePosition position = node.position();
        return new ConfigException(
                ConfigProblem.error(position, "defaults", message).withFix(SHAPE));
    }

    /** What stands before and behind {@code @}; a second package behind {@code :} is of old and ignored, as in Hydra. */
    private record Target(String group, @Nullable String packageName) {
        static Target of(String text) {
            int at = text.indexOf('@');
            if (at < 0) {
                return new Target(text, null);
            }
            String packageName = text.substring(at + 1);
            int colon = packageName.indexOf(':');
            return new Target(text.substring(0, at), colon < 0 ? packageName : packageName.substring(0, colon));
        }
    }
}
