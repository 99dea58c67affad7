/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.tree.JavaValues;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.ValueNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Lets functions of programs be called by interpolations: plain values in, a plain value out. */
final class CustomResolvers {
    private CustomResolvers() {}

    static Resolver adapt(String name, CustomResolver custom) {
        return (site, arguments) -> call(name, custom, site, arguments);
    }

    private static @Nullable Object call(
            String name, CustomResolver custom, CallSite site, List<@Nullable Object> arguments) {
        List<@Nullable Object> plain = new ArrayList<>();
        arguments.forEach(argument -> plain.add(plain(argument, site.evaluation(), 0)));
        Object result;
        try {
            result = custom.resolve(Collections.unmodifiableList(plain));
            // Refuses what a configuration cannot hold, and takes a copy of what it can.
            result = plain(JavaValues.toNode(result, site.node().position()), site.evaluation(), 0);
        } catch (RuntimeException e) {
            throw new ResolutionException("the resolver '" + name + "' failed: " + e.getMessage());
        }
        return result;
    }

    private static @Nullable Object plain(@Nullable Object value, Evaluation evaluation, int depth) {
        if (depth > JavaValues.MAX_DEPTH) {
            throw new ResolutionException("an argument is nested deeper than " + JavaValues.MAX_DEPTH + " levels");
        }
        Object seen = value instanceof Node node ? evaluation.follow(node) : value;
        if (seen instanceof MapNode map) {
            return plain(map.entries(), evaluation, depth);
        } else if (seen instanceof ListNode list) {
            return plain(list.items(), evaluation, depth);
        } else if (seen instanceof Map<?, ?> map) {
            Map<@Nullable Object, @Nullable Object> copy = new LinkedHashMap<>();
            map.forEach((key, item) -> copy.put(key, plain(item, evaluation, depth + 1)));
            return Collections.unmodifiableMap(copy);
        } else if (seen instanceof List<?> list) {
            List<@Nullable Object> copy = new ArrayList<>();
            list.forEach(item -> copy.add(plain(item, evaluation, depth + 1)));
            return Collections.unmodifiableList(copy);
        }
        return seen instanceof ValueNode node ? node.value() : seen;
    }
}
