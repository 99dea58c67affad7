/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Finds or makes the bundles of a fleet's processes. Not thread-safe. */
sealed interface BundleChooser {
    /** The bundle for a process on a node, whose actor takes these resources of it. */
    int choose(String actor, NodeInfo node, Map<String, Double> resources);

    /** The group's bundles by index. */
    List<BundlePlan> bundles();

    /** A bundle for each process, pinned to its node. */
    final class New implements BundleChooser {
        private final List<BundlePlan> bundles = new ArrayList<>();
        private final Map<String, Double> rest;

        /**
         * Makes bundles.
         *
         * @param rest what a bundle with accelerators holds for others beside its engine, by Ray's names
         */
        New(Map<String, Double> rest) {
            this.rest = rest;
        }

        @Override
        public int choose(String actor, NodeInfo node, Map<String, Double> resources) {
            Map<String, Double> reserved = new LinkedHashMap<>(resources);
            boolean accelerators = resources.containsKey(node.acceleratorType().rayResource());
            if (accelerators) {
                rest.forEach((name, amount) -> reserved.merge(name, amount, New::sum));
            }
            reserved.put("node:" + node.ip(), BundlePlan.PIN);
            bundles.add(new BundlePlan(bundles.size(), node.ip(), reserved));
            return bundles.size() - 1;
        }

        // The engine's share and the rest are a whole accelerator, however the fraction was rounded.
        private static double sum(double own, double others) {
            return Math.round((own + others) * AcceleratorShares.PARTS) / AcceleratorShares.PARTS;
        }

        @Override
        public List<BundlePlan> bundles() {
            return bundles;
        }
    }

    /** The bundles of a group that exists: the first on the node with enough left that the fleet has not taken itself. */
    final class Existing implements BundleChooser {
        private static final double TOLERANCE = 1e-9;

        private final ExistingGroup group;
        private final List<BundlePlan> bundles = new ArrayList<>();
        private final List<Map<String, Double>> left = new ArrayList<>();
        private final Map<String, List<Integer>> byNode = new HashMap<>();

        Existing(ExistingGroup group, Cluster cluster) {
            this.group = group;
            Map<String, String> addresses = new HashMap<>();
            cluster.nodes().forEach(node -> addresses.put(node.snapshot().nodeId(), node.ip()));
            for (ExistingGroup.Bundle bundle : group.bundles()) {
                byNode.computeIfAbsent(bundle.nodeId(), id -> new ArrayList<>()).add(bundles.size());
                bundles.add(new BundlePlan(
                        bundles.size(), addresses.getOrDefault(bundle.nodeId(), bundle.nodeId()), bundle.resources()));
                left.add(new HashMap<>(bundle.resources()));
            }
        }

        @Override
        public int choose(String actor, NodeInfo node, Map<String, Double> resources) {
            List<Integer> candidates = byNode.getOrDefault(node.snapshot().nodeId(), List.of());
            for (int index : candidates) {
                Map<String, Double> free = left.get(index);
                boolean fits = resources.entrySet().stream()
                        .allMatch(wanted -> wanted.getValue() <= free.getOrDefault(wanted.getKey(), 0.0) + TOLERANCE);
                if (fits) {
                    resources.forEach((name, amount) -> free.merge(name, -amount, Double::sum));
                    return index;
                }
            }
            throw PlacementException.builder(
                            ("needs %s on node rank %d (%s), and no bundle of placement group \"%s\" there has"
                                            + " that much left")
                                    .formatted(ResourceText.of(resources), node.rank(), node.ip(), group.name()))
                    .component(actor)
                    .seen(resources)
                    .available("Its bundles", lines())
                    .fix("Place it on a node where the group has a bundle, or take a smaller share of the accelerator.")
                    .build();
        }

        private List<String> lines() {
            TextTable table = new TextTable();
            for (BundlePlan bundle : bundles) {
                table.row(
                        "bundle " + bundle.index(),
                        "on " + bundle.nodeIp(),
                        "holds " + ResourceText.of(bundle.resources()),
                        "left " + ResourceText.of(left.get(bundle.index())));
            }
            return table.lines(20, "bundles");
        }

        @Override
        public List<BundlePlan> bundles() {
            return bundles;
        }
    }
}
