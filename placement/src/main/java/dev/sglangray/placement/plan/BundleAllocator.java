/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.TextTable;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds or makes the bundles of a fleet's processes. Not thread-safe. */
sealed interface BundleAllocator {
    /**
     * The bundle for a process on a node, whose actor takes these resources of it.
     *
     * @param pieces the hardware that it was given on the node; empty when none
     */
    int choose(String actor, NodeInfo node, List<Integer> pieces, Map<String, Double> resources);

    /** Whether {@link #choose} would find a bundle. */
    default boolean has(NodeInfo node, List<Integer> pieces, Map<String, Double> resources) {
        return true;
    }

    /** The group's bundles by index. */
    List<BundlePlan> bundles();

    /** Ray's resource that only one node has. */
    static String pin(NodeInfo node) {
        return "node:" + node.ip();
    }

    /** The bundles that processes have already, in the order in which they are asked for. */
    record Taken(Iterator<Integer> indexes) implements BundleAllocator {
        @Override
        public int choose(String actor, NodeInfo node, List<Integer> pieces, Map<String, Double> resources) {
            return indexes.next();
        }

        @Override
        public List<BundlePlan> bundles() {
            return List.of();
        }
    }

    /** A bundle for each process, pinned to its node. */
    final class New implements BundleAllocator {
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
        public int choose(String actor, NodeInfo node, List<Integer> pieces, Map<String, Double> resources) {
            bundles.add(new BundlePlan(bundles.size(), node.ip(), reserved(node, resources)));
            return bundles.size() - 1;
        }

        /** What the bundle of an actor with these resources holds. */
        Map<String, Double> reserved(NodeInfo node, Map<String, Double> resources) {
            Map<String, Double> reserved = new LinkedHashMap<>(resources);
            boolean accelerators = resources.containsKey(node.acceleratorType().rayResource());
            if (accelerators) {
                rest.forEach((name, amount) -> reserved.merge(name, amount, New::sum));
            }
            reserved.put(pin(node), BundlePlan.PIN);
            return reserved;
        }

        // The engine's share and the rest are a whole accelerator, however the fraction was rounded.
        static double sum(double own, double others) {
            return Math.round((own + others) * AcceleratorFractions.PARTS) / AcceleratorFractions.PARTS;
        }

        @Override
        public List<BundlePlan> bundles() {
            return bundles;
        }
    }

    /**
     * The bundles of a group that exists: the first on the node with enough left that the fleet has not taken itself. A
     * process with a part of an accelerator gets a bundle of one accelerator, alone or with those that share it by plan.
     */
    final class Existing implements BundleAllocator {
        private static final double TOLERANCE = 1e-9;
        private static final Set<String> PLAIN = Set.of("CPU", "memory", "object_store_memory");

        private final ExistingGroup group;
        private final List<BundlePlan> bundles = new ArrayList<>();
        private final List<Map<String, Double>> left = new ArrayList<>();
        private final Map<Integer, String> owners = new HashMap<>();
        private final Map<String, List<Integer>> byNode = new HashMap<>();

        /**
         * Knows the bundles, of which nothing is taken yet.
         *
         * @param first the bundles that are looked at before the others, in this order
         */
        Existing(ExistingGroup group, Cluster cluster, List<Integer> first) {
            this.group = group;
            Map<String, String> addresses = new HashMap<>();
            cluster.nodes().forEach(node -> addresses.put(node.snapshot().nodeId(), node.ip()));
            Set<Integer> order = new LinkedHashSet<>(first);
            order.removeIf(index -> index >= group.bundles().size());
            for (int index = 0; index < group.bundles().size(); index++) {
                order.add(index);
            }
            for (int index : order) {
                byNode.computeIfAbsent(group.bundles().get(index).nodeId(), id -> new ArrayList<>())
                        .add(index);
            }
            for (ExistingGroup.Bundle bundle : group.bundles()) {
                bundles.add(new BundlePlan(
                        bundles.size(), addresses.getOrDefault(bundle.nodeId(), bundle.nodeId()), bundle.resources()));
                left.add(new HashMap<>(bundle.resources()));
            }
        }

        @Override
        public int choose(String actor, NodeInfo node, List<Integer> pieces, Map<String, Double> resources) {
            // Ray gives parts of accelerators out of as few as it can: engines meant for two would get one, unless each
            // has a bundle of one accelerator for itself.
            String piece = piece(node, pieces, resources);
            for (int index : byNode.getOrDefault(node.snapshot().nodeId(), List.of())) {
                if (fits(index, piece, resources)) {
                    take(index, piece, resources);
                    return index;
                }
            }
            throw PlacementException.builder(
                            ("needs %s on node rank %d (%s), and no bundle of placement group \"%s\" there has"
                                            + " that much left")
                                    .formatted(ResourceText.of(resources), node.rank(), node.ip(), group.name()))
                    .component(actor)
                    .available("Its bundles", lines())
                    .fix(
                            "Place it on a node where the group has such a bundle, or take a smaller share; parts of different"
                                    + " accelerators need a bundle of one accelerator each.")
                    .build();
        }

        @Override
        public boolean has(NodeInfo node, List<Integer> pieces, Map<String, Double> resources) {
            String piece = piece(node, pieces, resources);
            return byNode.getOrDefault(node.snapshot().nodeId(), List.of()).stream()
                    .anyMatch(index -> fits(index, piece, resources));
        }

        /** Notes what an actor of the fleet has of a bundle already. */
        void taken(int index, NodeInfo node, List<Integer> pieces, Map<String, Double> resources) {
            take(index, piece(node, pieces, resources), resources);
        }

        private void take(int index, String piece, Map<String, Double> resources) {
            resources.forEach((name, amount) -> left.get(index).merge(name, -amount, Double::sum));
            if (!piece.isEmpty()) {
                owners.put(index, piece);
            }
        }

        private static String piece(NodeInfo node, List<Integer> pieces, Map<String, Double> resources) {
            return isPart(resources) ? node.ip() + "/" + pieces : "";
        }

        private boolean fits(int index, String piece, Map<String, Double> resources) {
            Map<String, Double> free = left.get(index);
            for (Map.Entry<String, Double> wanted : resources.entrySet()) {
                if (wanted.getValue() > free.getOrDefault(wanted.getKey(), 0.0) + TOLERANCE) {
                    return false;
                }
            }
            boolean shared = resources.keySet().stream()
                    .anyMatch(name -> isHardware(name)
                            && group.bundles().get(index).resources().getOrDefault(name, 0.0) > 1 + TOLERANCE);
            String owner = owners.get(index);
            boolean wholes = piece.isEmpty();
            return wholes
                    ? owner == null || resources.keySet().stream().noneMatch(Existing::isHardware)
                    : !shared && (owner == null || owner.equals(piece));
        }

        private static boolean isPart(Map<String, Double> resources) {
            return resources.entrySet().stream()
                    .anyMatch(wanted -> isHardware(wanted.getKey()) && wanted.getValue() < 1 - TOLERANCE);
        }

        private static boolean isHardware(String resource) {
            return !PLAIN.contains(resource);
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
