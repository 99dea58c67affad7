/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.cluster.NodeSnapshot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a node has, what of it is held, and by which process, as far as a ledger tells. Not thread-safe. */
final class NodeUsage {
    private static final double TOLERANCE = 1e-9;

    private final NodeSnapshot node;
    private final Map<String, Double> free;
    private final Map<String, Double> wished = new LinkedHashMap<>();
    private final List<String> holders = new ArrayList<>();

    /**
     * Balances a node.
     *
     * @param exceptGroup the id of the group that is not counted: the one that waits
     */
    NodeUsage(NodeSnapshot node, LedgerSnapshot ledger, String exceptGroup) {
        this.node = node;
        this.free = new LinkedHashMap<>(node.resources());
        for (LedgerSnapshot.Group group : ledger.groups()) {
            Map<String, Double> held = new LinkedHashMap<>();
            for (LedgerSnapshot.Bundle bundle : group.bundles()) {
                if (bundle.nodeId().equals(node.nodeId()) && !group.id().equals(exceptGroup)) {
                    bundle.resources().forEach((name, amount) -> held.merge(name, amount, Double::sum));
                }
            }
            take(
                    held,
                    "placement group \"%s\"%s (%s)"
                            .formatted(
                                    group.name(),
                                    group.namespace().isEmpty() ? "" : " of namespace \"" + group.namespace() + "\"",
                                    group.state()));
        }
        for (LedgerSnapshot.Actor actor : ledger.actors()) {
            if (actor.nodeId().equals(node.nodeId())) {
                take(actor.resources(), "actor " + actor.name());
            }
        }
    }

    private void take(Map<String, Double> held, String who) {
        held.forEach((name, amount) -> free.merge(name, -amount, Double::sum));
        String what = ResourceText.of(new TreeMap<>(held));
        if (!held.isEmpty() && held.keySet().stream().anyMatch(name -> !name.startsWith("node:"))) {
            holders.add(who + " holds " + what);
        }
    }

    NodeSnapshot node() {
        return node;
    }

    /** Who holds what of it, one line each. */
    List<String> holders() {
        return holders;
    }

    /** What is free of a resource. */
    double free(String resource) {
        return free.getOrDefault(resource, 0.0);
    }

    /** Notes a wish; whether it and the wishes before are more than the node has at all. */
    boolean wantsMoreThanAll(Map<String, Double> wish) {
        wish.forEach((name, amount) -> wished.merge(name, amount, Double::sum));
        return wish.keySet().stream()
                .anyMatch(name ->
                        wished.getOrDefault(name, 0.0) > node.resources().getOrDefault(name, 0.0) + TOLERANCE);
    }

    /** Takes resources, or tells of each what lacks; nothing is taken then. */
    Map<String, Double> lacksElseTake(Map<String, Double> wanted) {
        Map<String, Double> lacks = new LinkedHashMap<>();
        wanted.forEach((name, amount) -> {
            if (amount > free(name) + TOLERANCE) {
                lacks.put(name, amount - Math.max(0, free(name)));
            }
        });
        if (lacks.isEmpty()) {
            wanted.forEach((name, amount) -> free.merge(name, -amount, Double::sum));
        }
        return lacks;
    }
}
