/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.rank.RankExpression;
import java.util.List;
import java.util.Set;

/** Which nodes belong to a node group. */
public sealed interface NodeSelector {
    /** Whether a node belongs to the group. */
    boolean matches(int nodeRank, NodeSnapshot node);

    /** The nodes with these ranks: RLinf's {@code node_ranks}. */
    record Ranks(Set<Integer> ranks) implements NodeSelector {
        /** Copies the set. */
        public Ranks {
            ranks = Set.copyOf(ranks);
        }

        @Override
        public boolean matches(int nodeRank, NodeSnapshot node) {
            return ranks.contains(nodeRank);
        }

        @Override
        public String toString() {
            return "node_ranks " + RankExpression.describe(ranks);
        }
    }

    /**
     * The nodes whose Ray labels ({@code ray start --labels}, Ray 2.48 and later) satisfy a selector.
     *
     * @param selector a text in Kubernetes' form, or a mapping of labels to values, lists of values or texts in Ray's form
     */
    static NodeSelector rayLabels(Object selector) {
        return new RayLabels(LabelSelector.parse(selector));
    }

    /** The nodes whose Ray labels satisfy all of the conditions. */
    final class RayLabels implements NodeSelector {
        private final List<LabelTerm> terms;

        private RayLabels(List<LabelTerm> terms) {
            this.terms = terms;
        }

        @Override
        public boolean matches(int nodeRank, NodeSnapshot node) {
            return terms.stream().allMatch(term -> term.matches(node.labels()));
        }

        @Override
        public String toString() {
            return "ray_labels "
                    + String.join(", ", terms.stream().map(LabelTerm::toString).toList());
        }
    }

    /** The nodes that belong to all of these. */
    record All(List<NodeSelector> selectors) implements NodeSelector {
        /** Copies the list. */
        public All {
            selectors = List.copyOf(selectors);
        }

        @Override
        public boolean matches(int nodeRank, NodeSnapshot node) {
            return selectors.stream().allMatch(selector -> selector.matches(nodeRank, node));
        }

        @Override
        public String toString() {
            return String.join(
                    " and ", selectors.stream().map(NodeSelector::toString).toList());
        }
    }

    /** The nodes that have some of a custom Ray resource ({@code ray start --resources}, every Ray version). */
    record RayResource(String name) implements NodeSelector {
        @Override
        public String toString() {
            return "ray_resource " + name;
        }

        @Override
        public boolean matches(int nodeRank, NodeSnapshot node) {
            return node.resources().getOrDefault(name, 0.0) > 0;
        }
    }
}
