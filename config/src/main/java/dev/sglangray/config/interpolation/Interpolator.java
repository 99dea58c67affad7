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
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Resolves interpolations in a tree. Immutable; safe for several threads on a tree that no longer changes. */
public final class Interpolator {
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
