/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.ValueNode;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Resolves interpolations in a tree. Immutable; safe for several threads on a tree that no longer changes. */
public final class Interpolator {
    private static final Pattern RESOLVER_NAME =
            Pattern.compile("[a-zA-Z_][a-zA-Z0-9_-]*(?:\\.[a-zA-Z_][a-zA-Z0-9_-]*)*");

    private final Map<String, Resolver> resolvers;

    /** Knows OmegaConf's and RLinf's resolvers; {@code oc.env} reads the environment given. */
    public Interpolator(Map<String, String> environment) {
        Map<String, Resolver> all = new HashMap<>(BuiltinResolvers.all(Map.copyOf(environment)));
        all.putAll(RlinfResolvers.all());
        this.resolvers = Map.copyOf(all);
    }

    private Interpolator(Interpolator base, Map<String, Resolver> more) {
        Map<String, Resolver> all = new HashMap<>(base.resolvers);
        all.putAll(more);
        this.resolvers = Map.copyOf(all);
    }

    /** One that knows Hydra's resolvers too; {@code now} gives the time given. */
    public Interpolator withHydra(ZonedDateTime now) {
        return new Interpolator(this, HydraResolvers.all(now));
    }

    /** One whose resolver {@code hydra} reads a section of Hydra's own, which stays inside its whole configuration. */
    public Interpolator withHydraSection(MapNode section) {
        return new Interpolator(
                this, Map.of("hydra", (site, arguments) -> HydraSectionResolver.get(section, site, arguments)));
    }

    /**
     * One that knows further resolvers.
     *
     * @throws IllegalArgumentException for a name that an interpolation cannot have, or one that is taken
     */
    public Interpolator withResolvers(Map<String, CustomResolver> more) {
        Map<String, Resolver> adapted = new HashMap<>();
        more.forEach((name, resolver) -> {
            if (!RESOLVER_NAME.matcher(name).matches()) {
                throw new IllegalArgumentException("'" + name + "' cannot be the name of a resolver");
            }
            if (resolvers.containsKey(name) || name.equals("hydra")) {
                throw new IllegalArgumentException("there is a resolver '" + name + "' already");
            }
            adapted.put(name, CustomResolvers.adapt(name, resolver));
        });
        return new Interpolator(this, adapted);
    }

    /**
     * What a node stands for: itself, or what its interpolation leads to.
     *
     * @throws ConfigException when the interpolation cannot be resolved, at the position of the node
     */
    public Node resolve(Node node) {
        try {
            return new Evaluation(resolvers).follow(node);
        } catch (ResolutionException e) {
            String text = node instanceof ValueNode value ? Secrets.display(node.path(), value.value()) : "it";
            String message = "cannot resolve " + text + ": " + e.getMessage();
            throw new ConfigException(
                    ConfigProblem.error(node.position(), node.path(), message).withFix(e.fix()));
        }
    }

    /** What an interpolation leads to; null when it cannot be resolved. */
    public @Nullable Node resolveOrNull(ValueNode node) {
        try {
            return new Evaluation(resolvers).follow(node);
        } catch (ResolutionException e) {
            return null;
        }
    }

    /**
     * The nodes that a node's interpolation leads through, in the order met, without the node itself; empty when it is
     * no interpolation. Where the interpolation cannot be resolved, those met until then.
     */
    public List<Node> trace(Node node) {
        Evaluation evaluation = new Evaluation(resolvers);
        try {
            evaluation.follow(node);
        } catch (ResolutionException e) {
            // What was met before the failure is the answer.
        }
        Set<String> seen = new HashSet<>(Set.of(place(node)));
        return evaluation.visited().stream().filter(met -> seen.add(place(met))).toList();
    }

    private static String place(Node node) {
        return node.path() + " " + node.position();
    }

    /** The interpolations of a tree that do not follow the grammar. */
    public static List<ConfigProblem> grammarProblems(Node tree) {
        List<ConfigProblem> problems = new ArrayList<>();
        collect(tree, problems);
        return problems;
    }

    private static void collect(Node node, List<ConfigProblem> problems) {
        if (node instanceof MapNode map) {
            map.entries().values().forEach(child -> collect(child, problems));
        } else if (node instanceof ListNode list) {
            list.items().forEach(item -> collect(item, problems));
        } else if (node instanceof ValueNode value && value.isInterpolation()) {
            try {
                ExpressionParser.parseText(value.text());
            } catch (GrammarException e) {
                SourcePosition at = node.position();
                String message = "not a valid interpolation: " + Secrets.display(node.path(), value.value()) + ": "
                        + e.getMessage() + " at its character " + (e.offset() + 1);
                problems.add(ConfigProblem.error(at, node.path(), message).withFix("write \\${ for a literal ${"));
            }
        }
    }
}
