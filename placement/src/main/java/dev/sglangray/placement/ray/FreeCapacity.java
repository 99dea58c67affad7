/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.plan.Capacity;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the living nodes of a Ray cluster have left, as far as a ledger tells. Not thread-safe. */
public final class FreeCapacity implements Capacity {
    private final Map<String, NodeUsage> nodes = new HashMap<>();

    /** Balances all nodes. */
    public FreeCapacity(ClusterSnapshot cluster, LedgerSnapshot ledger) {
        cluster.nodes().forEach(node -> nodes.put(node.ip(), new NodeUsage(node, ledger, "")));
    }

    // By address, which a node keeps when it comes back; its id it does not.
    @Override
    public boolean has(NodeInfo node) {
        return nodes.containsKey(node.ip());
    }

    @Override
    public boolean take(NodeInfo node, Map<String, Double> resources) {
        NodeUsage balance = nodes.get(node.ip());
        return balance != null && balance.lacksElseTake(resources).isEmpty();
    }

    @Override
    public String left(NodeInfo node) {
        NodeUsage balance = nodes.get(node.ip());
        if (balance == null) {
            return "gone";
        }
        Map<String, Double> left = new LinkedHashMap<>();
        balance.node().resources().forEach((name, all) -> {
            if (!name.startsWith("node:") && !name.contains("memory")) {
                left.put(name, Math.max(0, balance.free(name)));
            }
        });
        return left.isEmpty() ? "nothing free" : "free: " + ResourceText.of(left);
    }
}
