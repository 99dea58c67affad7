/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.rank.AcceleratorIds;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a fleet uses Ray's placement groups; immutable. Beyond RLinf, which has none.
 *
 * @param strategy how the bundles of the fleet's own group lie
 * @param acceleratorIds who says which accelerators an engine uses
 * @param acceleratorShare how much of its accelerator an engine takes, above 0 and at most 1
 * @param engineResources what each engine takes of its bundle besides accelerators, by Ray's names: {@code CPU},
 *     {@code memory} in bytes, or a custom resource
 * @param rest what each bundle with accelerators of the fleet's own group holds for others, by Ray's names
 * @param existingName the existing group to use, or null for one of the fleet's own
 * @param existingNamespace the Ray namespace of that group, or null for the driver's own
 * @param bundles the bundle of that group for each engine, by the engine's rank; empty for the first that fit
 * @param waitForNodesSeconds how long further engines wait for nodes that Ray's cluster autoscaler adds; 0 for not at all
 */
public record GroupSettings(
        GroupStrategy strategy,
        AcceleratorIds acceleratorIds,
        double acceleratorShare,
        Map<String, Double> engineResources,
        Map<String, Double> rest,
        @Nullable String existingName,
        @Nullable String existingNamespace,
        List<Integer> bundles,
        double waitForNodesSeconds) {
    private static final String NODE = "node:";
    /** A day, in seconds. */
    private static final int LONGEST_WAIT = 86_400;

    private static final double SMALLEST = 1 / AcceleratorFractions.PARTS;

    /** A group of the fleet's own, for the fleet alone. */
    public static final GroupSettings DEFAULT =
            new GroupSettings(GroupStrategy.PACK, AcceleratorIds.RAY, 1, Map.of(), Map.of(), null, null, List.of(), 0);

    /**
     * Checks the values and copies maps and list.
     *
     * @throws PlacementException when they are out of range or exclude each other
     */
    public GroupSettings {
        engineResources = OrderedMap.copyOf(engineResources);
        rest = OrderedMap.copyOf(rest);
        bundles = List.copyOf(bundles);
        if (!(acceleratorShare > 0 && acceleratorShare <= 1)) {
            throw PlacementException.of(
                    "an accelerator share must be above 0 and at most 1, not " + ResourceText.number(acceleratorShare));
        }
        if (acceleratorShare < SMALLEST) {
            throw PlacementException.of("an accelerator share must be at least " + ResourceText.number(SMALLEST)
                    + ", the smallest part that Ray counts, not " + acceleratorShare);
        }
        requireCountable("a bundle's rest", rest);
        requireCountable("an engine's resources", engineResources);
        requireOneAccelerator(acceleratorShare, rest);
        engineResources.keySet().stream()
                .filter(GroupSettings::isGivenOtherwise)
                .forEach(name -> {
                    throw PlacementException.builder(
                                    "an engine's \"%s\" is not set in engine_resources".formatted(name))
                            .fix(
                                    name.startsWith(NODE)
                                            ? "The placement says on which node an engine runs."
                                            : "An engine's accelerators follow from its sizes, and accelerator_share.")
                            .build();
                });
        if (existingName != null && (!rest.isEmpty() || strategy != GroupStrategy.PACK)) {
            throw PlacementException.builder(
                            "placement group \"%s\" was made by another program, so its strategy and what its bundles hold are given"
                                    .formatted(existingName))
                    .fix("Leave out strategy and rest, or the name.")
                    .build();
        }
        if (existingName == null && existingNamespace != null) {
            throw PlacementException.of("a namespace is given for a placement group, but no name");
        }
        if (existingName == null && !bundles.isEmpty()) {
            throw PlacementException.of("bundles are named, but not the placement group that has them");
        }
        if (!(waitForNodesSeconds >= 0 && waitForNodesSeconds <= LONGEST_WAIT)) {
            throw PlacementException.of("wait_for_nodes_s must be from 0 to %d, not %s"
                    .formatted(LONGEST_WAIT, ResourceText.number(waitForNodesSeconds)));
        }
        boolean fixed = existingName != null
                || strategy == GroupStrategy.STRICT_PACK
                || acceleratorIds == AcceleratorIds.TRUST_CONFIG;
        if (waitForNodesSeconds > 0 && fixed) {
            throw PlacementException.builder(
                            "further engines could not use a node that joins the cluster, so there is none to"
                                    + " wait for: not in an existing group, with STRICT_PACK, or with accelerator ids from the"
                                    + " configuration")
                    .fix("Leave out wait_for_nodes_s.")
                    .build();
        }
        bundles.stream().filter(index -> index < 0).forEach(index -> {
            throw PlacementException.of("bundles are counted from 0, so there is no bundle " + index);
        });
        if (acceleratorIds == AcceleratorIds.TRUST_CONFIG && (acceleratorShare < 1 || !rest.isEmpty())) {
            throw PlacementException.of(
                    "with accelerator ids from the configuration nothing is reserved in Ray, so there is no"
                            + " share or rest of an accelerator to speak of");
        }
    }

    /** Ray gives a part of one device only, or several whole ones. */
    private static void requireOneAccelerator(double share, Map<String, Double> rest) {
        for (Map.Entry<String, Double> entry : rest.entrySet()) {
            double amount = entry.getValue();
            boolean fits = share < 1 ? share + amount < 1 + SMALLEST : amount == Math.rint(amount);
            if (isAccelerator(entry.getKey()) && !fits) {
                throw PlacementException.builder(
                                "an accelerator share of %s and a rest of %s %s are more than one accelerator, and Ray gives parts of one only"
                                        .formatted(
                                                ResourceText.number(share),
                                                ResourceText.number(amount),
                                                entry.getKey()))
                        .fix(
                                share < 1
                                        ? "The rest can be up to " + ResourceText.number(1 - share) + "."
                                        : "Set accelerator_share below 1, or make the rest a whole number.")
                        .build();
            }
        }
    }

    private static void requireCountable(String what, Map<String, Double> resources) {
        for (Map.Entry<String, Double> entry : resources.entrySet()) {
            if (!(entry.getValue() > 0) || entry.getValue().isInfinite()) {
                throw PlacementException.of(
                        "%s must be above 0, not %s %s".formatted(what, entry.getKey(), entry.getValue()));
            }
            if (entry.getValue() < SMALLEST) {
                throw PlacementException.of("%s must be at least %s, the smallest part that Ray counts, not %s %s"
                        .formatted(what, ResourceText.number(SMALLEST), entry.getKey(), entry.getValue()));
            }
        }
    }

    private static boolean isGivenOtherwise(String resource) {
        return resource.startsWith(NODE) || isAccelerator(resource);
    }

    private static boolean isAccelerator(String resource) {
        return Arrays.stream(AcceleratorType.values())
                .anyMatch(type -> type.rayResource().equals(resource));
    }

    /** How long further engines wait for nodes, in whole seconds. */
    public Duration waitForNodes() {
        return Duration.ofSeconds((long) Math.ceil(waitForNodesSeconds));
    }

    /** The existing group to use; empty for one of the fleet's own. */
    public Optional<String> existing() {
        return Optional.ofNullable(existingName);
    }
}
