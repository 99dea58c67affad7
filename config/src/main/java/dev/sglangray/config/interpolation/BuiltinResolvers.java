/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.tree.JavaValues;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import dev.sglangray.config.yaml.YamlReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** OmegaConf's own resolvers, {@code oc.*}. */
final class BuiltinResolvers {
    private BuiltinResolvers() {}

    static Map<String, Resolver> all(Map<String, String> environment) {
        Map<String, Resolver> all = new HashMap<>();
        all.put("oc.env", (site, arguments) -> env(environment, arguments));
        all.put("oc.decode", BuiltinResolvers::decode);
        all.put("oc.select", BuiltinResolvers::select);
        all.put("oc.create", BuiltinResolvers::create);
        all.put("oc.deprecated", BuiltinResolvers::deprecated);
        all.put("oc.dict.keys", BuiltinResolvers::keys);
        all.put("oc.dict.values", BuiltinResolvers::values);
        return all;
    }

    /** Checks how many arguments there are. */
    static void arity(String name, List<?> arguments, int least, int most) {
        if (arguments.size() < least || arguments.size() > most) {
            String wanted = least == most ? String.valueOf(least) : least + " to " + most;
            throw new ResolutionException("'" + name + "' takes " + wanted + " arguments, not " + arguments.size());
        }
    }

    /** An argument that must be a text. */
    static String text(String name, @Nullable Object argument) {
        if (argument instanceof String text) {
            return text;
        }
        throw new ResolutionException("'" + name + "' takes a text, not " + PythonText.repr(argument));
    }

    private static @Nullable Object env(Map<String, String> environment, List<@Nullable Object> arguments) {
        arity("oc.env", arguments, 1, 2);
        String name = text("oc.env", arguments.get(0));
        String value = environment.get(name);
        if (value != null) {
            return value;
        }
        if (arguments.size() == 1) {
            throw new ResolutionException(
                    "the environment variable '" + name + "' is not set",
                    "set it, or give a default: ${oc.env:" + name + ",default}");
        }
        Object fallback = arguments.get(1);
        return fallback == null ? null : PythonText.str(fallback);
    }

    private static @Nullable Object decode(CallSite site, List<@Nullable Object> arguments) {
        arity("oc.decode", arguments, 1, 1);
        if (arguments.get(0) == null) {
            return null;
        }
        String text = text("oc.decode", arguments.get(0));
        Expression expression;
        try {
            expression = ExpressionParser.parseElement(text);
        } catch (GrammarException e) {
            throw new ResolutionException("'oc.decode' cannot read its text, from its character " + (e.offset() + 1));
        }
        return Evaluation.value(site.evaluation().evaluate(expression, site));
    }

    private static @Nullable Object select(CallSite site, List<@Nullable Object> arguments) {
        arity("oc.select", arguments, 1, 2);
        Object fallback = arguments.size() == 2 ? arguments.get(1) : null;
        Node found;
        try {
            found = site.evaluation().select(site.parent(), text("oc.select", arguments.get(0)), false);
        } catch (ResolutionException.NotAContainer e) {
            return fallback;
        }
        boolean missing = found == null || (found instanceof ValueNode value && value.isMissing());
        return missing ? fallback : Evaluation.value(found);
    }

    private static @Nullable Object create(CallSite site, List<@Nullable Object> arguments) {
        arity("oc.create", arguments, 1, 1);
        Object argument = arguments.get(0);
        if (argument == null) {
            return null;
        }
        Node created;
        try {
            if (argument instanceof String text) {
                created = YamlReader.read(text, site.node().position().toString());
            } else if (argument instanceof Node || argument instanceof List || argument instanceof Map) {
                created = JavaValues.toNode(argument, site.node().position());
            } else {
                throw new ResolutionException("'oc.create' takes a map or a list, not " + PythonText.repr(argument));
            }
        } catch (IllegalArgumentException | ConfigException e) {
            throw new ResolutionException("'oc.create' cannot use its argument: " + e.getMessage());
        }
        created.attach(site.parent(), site.node().key());
        return created;
    }

    private static Node deprecated(CallSite site, List<@Nullable Object> arguments) {
        arity("oc.deprecated", arguments, 1, 2);
        String path = text("oc.deprecated", arguments.get(0));
        if (arguments.size() == 2) {
            text("oc.deprecated", arguments.get(1));
        }
        Node target = site.evaluation().select(site.parent(), path, false);
        if (target == null) {
            throw new ResolutionException("'oc.deprecated' points to '" + path + "', which does not exist");
        }
        return target;
    }

    private static Node keys(CallSite site, List<@Nullable Object> arguments) {
        arity("oc.dict.keys", arguments, 1, 1);
        MapNode map = map("oc.dict.keys", site, text("oc.dict.keys", arguments.get(0)));
        ListNode keys = new ListNode(site.node().position());
        map.entries()
                .keySet()
                .forEach(key -> keys.add(new ValueNode(key, site.node().position())));
        keys.attach(site.parent(), site.node().key());
        return keys;
    }

    private static Node values(CallSite site, List<@Nullable Object> arguments) {
        arity("oc.dict.values", arguments, 1, 1);
        String path = text("oc.dict.values", arguments.get(0));
        MapNode map = map("oc.dict.values", site, path);
        // The references stand one level deeper than the call.
        String base = path.startsWith(".") ? "." + path : path;
        ListNode values = new ListNode(site.node().position());
        for (Object key : map.entries().keySet()) {
            values.add(new ValueNode(
                    "${" + base + "." + PythonText.str(key) + "}", site.node().position()));
        }
        values.attach(site.parent(), site.node().key());
        return values;
    }

    private static MapNode map(String name, CallSite site, String path) {
        Node found;
        try {
            found = site.evaluation().select(site.parent(), path, true);
        } catch (ResolutionException.NotAContainer e) {
            found = null;
        }
        if (found == null) {
            throw new ResolutionException("'" + name + "' points to '" + path + "', which does not exist");
        }
        if (found instanceof MapNode map) {
            return map;
        }
        throw new ResolutionException("'" + name + "' takes the path of a map; '" + path + "' is none");
    }
}
