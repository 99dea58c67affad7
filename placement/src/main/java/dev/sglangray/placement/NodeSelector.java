/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.Map;
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
    }

    /** The nodes that carry all of these Ray labels ({@code ray start --labels}, Ray 2.48 and later). */
    record RayLabels(Map<String, String> labels) implements NodeSelector {
        /** Copies the map. */
        public RayLabels {
            labels = OrderedMap.copyOf(labels);
        }

        @Override
        public boolean matches(int nodeRank, NodeSnapshot node) {
            return node.labels().entrySet().containsAll(labels.entrySet());
        }
    }

    /** The nodes that have some of a custom Ray resource ({@code ray start --resources}, every Ray version). */
    record RayResource(String name) implements NodeSelector {
        @Override
        public boolean matches(int nodeRank, NodeSnapshot node) {
            return node.resources().getOrDefault(name, 0.0) > 0;
        }
    }
}
