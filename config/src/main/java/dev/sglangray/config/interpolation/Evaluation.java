/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.interpolation.Expression.Call;
import dev.sglangray.config.interpolation.Expression.Constant;
import dev.sglangray.config.interpolation.Expression.Entry;
import dev.sglangray.config.interpolation.Expression.ListValue;
import dev.sglangray.config.interpolation.Expression.MapValue;
import dev.sglangray.config.interpolation.Expression.Quoted;
import dev.sglangray.config.interpolation.Expression.Reference;
import dev.sglangray.config.interpolation.Expression.Text;
import dev.sglangray.config.tree.KeyPath;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.Numbers;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One resolution, with the chain of values that it is inside of. Not for use by several threads. */
final class Evaluation {
    private static final int MAX_CHAIN = 100;

    private final Map<String, Resolver> resolvers;
    private final List<ValueNode> chain = new ArrayList<>();
    private final List<Node> visited = new ArrayList<>();

    Evaluation(Map<String, Resolver> resolvers) {
        this.resolvers = resolvers;
    }

    /** The nodes that references led to so far, in the order met; also those met before a failure. */
    List<Node> visited() {
        return visited;
    }

    /** What a node stands for: itself, or what its interpolation leads to. */
    Node follow(Node node) {
        if (!(node instanceof ValueNode value) || !value.isInterpolation()) {
            return node;
        }
        Node parent = value.parent();
        if (parent == null) {
            throw new ResolutionException("an interpolation needs a configuration around it");
        }
        enter(value);
        try {
            Object result = evaluate(ExpressionParser.parseText(value.text()), new CallSite(this, parent, value));
            return result instanceof Node found ? found : wrap(result, value);
        } catch (GrammarException e) {
            throw new ResolutionException("not a valid interpolation: " + e.getMessage());
        } finally {
            chain.remove(chain.size() - 1);
        }
    }

    private void enter(ValueNode value) {
        for (int i = 0; i < chain.size(); i++) {
            if (chain.get(i) == value) {
                StringBuilder cycle = new StringBuilder();
                chain.subList(i, chain.size())
                        .forEach(step -> cycle.append(step.path()).append(" -> "));
                throw new ResolutionException("interpolations lead in a circle: " + cycle + value.path());
            }
        }
        if (chain.size() >= MAX_CHAIN) {
            throw new ResolutionException("interpolations lead through more than " + MAX_CHAIN + " values");
        }
        chain.add(value);
        visited.add(value);
    }

    private static Node wrap(@Nullable Object result, ValueNode origin) {
        ValueNode node = ValueNode.result(result, origin.position());
        node.attach(origin.parent(), origin.key());
        return node;
    }

    @Nullable
    Object evaluate(Expression expression, CallSite site) {
        if (expression instanceof Constant constant) {
            return constant.value();
        } else if (expression instanceof Text text) {
            StringBuilder joined = new StringBuilder();
            text.parts().forEach(part -> joined.append(PythonText.str(value(evaluate(part, site)))));
            return joined.toString();
        } else if (expression instanceof Quoted quoted) {
            return PythonText.str(value(evaluate(quoted.content(), site)));
        } else if (expression instanceof Reference reference) {
            return reference(reference, site);
        } else if (expression instanceof Call call) {
            return call(call, site);
        } else if (expression instanceof ListValue list) {
            return arguments(list.items(), site);
        }
        Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
        for (Entry entry : ((MapValue) expression).entries()) {
            map.put(entry.key(), value(evaluate(entry.value(), site)));
        }
        return map;
    }

    private List<@Nullable Object> arguments(List<Expression> expressions, CallSite site) {
        List<@Nullable Object> values = new ArrayList<>();
        for (Expression expression : expressions) {
            values.add(value(evaluate(expression, site)));
        }
        return values;
    }

    /** The plain value of a value node; containers and plain values as they are. */
    static @Nullable Object value(@Nullable Object result) {
        return result instanceof ValueNode node ? node.value() : result;
    }

    private Node reference(Reference reference, CallSite site) {
        StringBuilder path = new StringBuilder();
        for (Expression piece : reference.pieces()) {
            path.append(name(piece, site, "a key"));
        }
        Node found = select(site.parent(), path.toString(), true);
        if (found == null) {
            throw notFound(site.parent(), path.toString());
        }
        for (Node above = site.parent(); above != null; above = above.parent()) {
            if (above == found) {
                throw new ResolutionException("'${" + path + "}' leads to a container of the value itself");
            }
        }
        visited.add(found);
        return found;
    }

    private String name(Expression piece, CallSite site, String what) {
        Object value = value(evaluate(piece, site));
        if (value instanceof String text) {
            return text;
        }
        throw new ResolutionException(
                "an interpolation that names " + what + " must give a text, not " + PythonText.repr(value));
    }

    private @Nullable Object call(Call call, CallSite site) {
        List<String> parts = new ArrayList<>();
        call.name().forEach(part -> parts.add(name(part, site, "a resolver")));
        String name = String.join(".", parts);
        Resolver resolver = resolvers.get(name);
        if (resolver == null) {
            throw new ResolutionException(
                    "there is no resolver '" + name + "'", NearestName.didYouMean(name, resolvers.keySet()));
        }
        return resolver.call(site, arguments(call.arguments(), site));
    }

    /**
     * Finds a node by path, from the root or, with leading dots, from a container upwards.
     *
     * @param missingIsError whether {@code ???} on the way is an error
     * @return what the node stands for; null when there is none
     */
    @Nullable
    Node select(Node container, String path, boolean missingIsError) {
        Node start = container;
        String rest = path;
        if (!path.startsWith(".")) {
            start = container.root();
        } else {
            rest = path.substring(1);
            while (rest.startsWith(".")) {
                Node above = start.parent();
                if (above == null) {
                    throw new ResolutionException("'" + path + "' goes above the top of the configuration");
                }
                start = above;
                rest = rest.substring(1);
            }
        }
        return rest.isEmpty() ? start : walk(start, rest, missingIsError);
    }

    private @Nullable Node walk(Node start, String path, boolean missingIsError) {
        Node node = start;
        StringBuilder walked = new StringBuilder();
        for (String part : KeyPath.split(path)) {
            if (!node.isContainer()) {
                throw new ResolutionException.NotAContainer(
                        "'" + walked + "' is neither a map nor a list and has no '" + part + "'");
            }
            Node child = node.child(part);
            if (child == null && node instanceof ListNode && Numbers.parsePythonInt(part) == null) {
                throw new ResolutionException(
                        "'" + (walked.isEmpty() ? node.path() : walked) + "' is a list and has no '" + part + "'");
            }
            if (child == null) {
                return null;
            }
            walked.append(walked.isEmpty() ? "" : ".").append(part);
            if (missingIsError && child instanceof ValueNode value && value.isMissing()) {
                throw new ResolutionException("'" + child.path() + "' has to be given a value (it is ???)");
            }
            node = follow(child);
        }
        return node;
    }

    private ResolutionException notFound(Node container, String path) {
        String fix = "";
        Node scope = path.startsWith(".") ? container : container.root();
        if (scope instanceof MapNode map && path.indexOf('.', 1) < 0) {
            fix = NearestName.didYouMean(
                    path.replace(".", ""),
                    map.entries().keySet().stream().map(PythonText::str).toList());
        }
        return new ResolutionException("there is no '" + path + "'", fix);
    }
}
