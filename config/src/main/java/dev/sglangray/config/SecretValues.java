/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/** Finds the secrets of a tree, also those that interpolations bring in from variables. Not thread-safe. */
final class SecretValues {
    private final Interpolator interpolator;
    private final Map<String, Object> found = new HashMap<>();

    private SecretValues(Interpolator interpolator) {
        this.interpolator = interpolator;
    }

    static List<String> of(Node tree, Interpolator interpolator) {
        SecretValues values = new SecretValues(interpolator);
        values.collect(tree, false);
        // Each under a name that is secret.
        return Secrets.valuesIn(Map.of("secret", values.found));
    }

    private void collect(Node node, boolean secret) {
        if (node instanceof MapNode map) {
            map.entries().forEach((key, child) -> collect(child, secret || Secrets.isSecret(PythonText.str(key))));
        } else if (node instanceof ListNode list) {
            list.items().forEach(item -> collect(item, secret));
        } else if (node instanceof ValueNode value) {
            collect(value, secret);
        }
    }

    private void collect(ValueNode value, boolean secret) {
        if (value.isInterpolation()) {
            Matcher variables = TreeView.VARIABLE.matcher(value.text());
            while (variables.find()) {
                if (Secrets.isSecret(variables.group(1))) {
                    // An interpolation needs a map around it.
                    MapNode around = new MapNode(value.position());
                    ValueNode variable = new ValueNode("${oc.env:" + variables.group(1) + "}", value.position());
                    around.put("value", variable);
                    add(interpolator.resolveOrNull(variable));
                }
            }
        }
        if (secret) {
            add(value.isInterpolation() ? interpolator.resolveOrNull(value) : value);
        } else if (value.value() instanceof String text) {
            // What looks secret inside it, such as a password in a URL.
            Secrets.valuesIn(Map.of("text", text)).forEach(inside -> found.put(inside, inside));
        }
    }

    private void add(@Nullable Node node) {
        if (node instanceof ValueNode value && value.value() instanceof String text) {
            found.put(text, text);
        }
    }
}
