/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.TextTable;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.rank.AcceleratorIds;
import dev.sglangray.placement.strategy.PlacementDraft;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Plans further engines for a fleet that runs: as wide as those that it has, in the same node groups, on hardware that the
 * fleet does not use and that Ray has left. Pure, as {@link FleetPlanner}; RLinf has nothing of the kind. For one use by one
 * thread.
 */
public final class FleetGrowth {
    private final PlanRequest request;
    private final PlanRequest.Pool pool;
    private final PlanRequest.Server server;
    private final Cluster cluster;
    private final Capacity room;
    private final List<EnginePlan> current;
    private final EnginePlan like;
    private final List<EnginePlan> alike;
    private final @Nullable RouterPlan router;
    private final Set<String> usedNodes = new HashSet<>();
    private final Map<String, Set<Integer>> usedPieces = new HashMap<>();
    private final Map<String, Integer> enginesOn = new LinkedHashMap<>();
    private final Map<String, Set<Integer>> usedPorts = new HashMap<>();
    private final Set<Integer> fixedPorts;

    /**
     * Makes ready.
     *
     * @param request what the fleet was planned from, with the state of the existing placement group as it is now
     * @param cluster the cluster as it is now, see {@link Cluster#widened}
     * @param room what its nodes have left
     * @param like an engine as which the further ones are, also in its pool
     * @param current the engines that the fleet has, and those whose bundles it keeps
     * @param router its router, or null
     */
    public FleetGrowth(
            PlanRequest request,
            Cluster cluster,
            Capacity room,
            EnginePlan like,
            List<EnginePlan> current,
            @Nullable RouterPlan router) {
        this.request = request;
        this.pool = request.pool(like.pool());
        this.server = this.pool.server();
        this.cluster = cluster;
        this.room = room;
        this.current = List.copyOf(current);
        this.like = like;
        List<EnginePlan> own = current.stream()
                .filter(engine -> engine.pool().equals(like.pool()))
                .toList();
        this.alike = own.isEmpty() ? List.of(like) : own;
        this.router = router;
        this.fixedPorts =
                FixedPorts.ofEngine(server.serverType(), server.arguments()).keySet();
        if (router != null) {
            usedNodes.add(router.node().ip());
            ports(router.node()).addAll(FixedPorts.ofRouter(router.routerArgs()).keySet());
        }
        for (EnginePlan engine : current) {
            Set<Integer> ports = FixedPorts.ofEngine(engine.serverType(), engine.serverArgs())
                    .keySet();
            engine.parts().forEach(part -> use(part.node(), part.placement().localHardwareRanks(), ports));
        }
    }

    /** The name of the placement group of a fleet's n-th change, counted from 1. */
    public static String groupName(String fleetName, int change) {
        return fleetName + "/scale-" + change;
    }

    /** A place for an engine, or for a part of one. */
    private record Place(NodeInfo node, NodeGroupInfo group, List<Integer> pieces) {}

    /**
     * Plans engines of these ranks.
     *
     * @param worldSize how many engines the fleet has then
     * @param groupName the name of a placement group for them; not used where the fleet lives in an existing group
     * @return a plan of the further engines only, with the bundles that they need
     * @throws PlacementException when there is no place for one, saying what each node has left
     */
    public FleetPlan plan(List<Integer> ranks, int worldSize, String groupName) {
        return plan(ranks, ranks.size(), worldSize, groupName);
    }

    /**
     * As {@link #plan}, but content with fewer engines: those of the first ranks.
     *
     * @throws PlacementException when there is no place for a single one
     */
    public FleetPlan planWhatFits(List<Integer> ranks, int worldSize, String groupName) {
        return plan(ranks, 1, worldSize, groupName);
    }

    /** What so many further engines need, on any nodes: what a cluster that can grow is asked for. */
    public List<Map<String, Double>> bundles(int engines) {
        BundleAllocator.New bundles =
                new BundleAllocator.New(request.groupSettings().rest());
        List<Map<String, Double>> all = new ArrayList<>();
        for (int i = 0; i < engines; i++) {
            for (EnginePart part : like.parts()) {
                Map<String, Double> needed = bundles.reserved(part.node(), part.resources());
                needed.remove(BundleAllocator.pin(part.node()));
                all.add(needed);
            }
        }
        return all;
    }

    private FleetPlan plan(List<Integer> ranks, int least, int worldSize, String groupName) {
        requireThatRayKnows();
        BundleAllocator bundles = request.existingGroup()
                .<BundleAllocator>map(this::existing)
                .orElseGet(() -> new BundleAllocator.New(request.groupSettings().rest()));
        EnginePlanFactory maker = new EnginePlanFactory(
                request,
                pool,
                cluster,
                like.environment().getOrDefault("MASTER_ADDR", like.node().ip()),
                worldSize);
        List<EnginePlan> engines = new ArrayList<>();
        for (int rank : ranks) {
            Optional<EnginePlan> found = engine(rank, maker, bundles);
            if (found.isEmpty() && engines.size() < least) {
                throw noPlace(rank, ranks.size() - engines.size(), ranks.size());
            } else if (found.isEmpty()) {
                break;
            }
            engines.add(found.get());
        }
        return new FleetPlan(groupName, request.group(groupName), engines, null, bundles.bundles(), List.of());
    }

    private void requireThatRayKnows() {
        if (request.groupSettings().acceleratorIds() == AcceleratorIds.TRUST_CONFIG && width() > 0) {
            throw PlacementException.builder(
                            "with accelerator ids from the configuration nothing is reserved in Ray, so that"
                                    + " it is not known which other accelerators are free")
                    .component(PlanRequest.poolName(server.groupName(), pool.name()))
                    .fix("Launch the fleet again, with the ranks that its component is to have.")
                    .build();
        }
    }

    private BundleAllocator existing(ExistingGroup group) {
        BundleAllocator.Existing bundles = new BundleAllocator.Existing(group, cluster, List.of());
        for (EnginePlan engine : current) {
            for (EnginePart part : engine.parts()) {
                bundles.taken(part.bundleIndex(), part.node(), part.placement().localHardwareRanks(), part.resources());
            }
        }
        if (router != null) {
            bundles.taken(router.bundleIndex(), router.node(), List.of(), router.resources());
        }
        return bundles;
    }

    private Optional<EnginePlan> engine(int rank, EnginePlanFactory maker, BundleAllocator bundles) {
        int parts = parts();
        if (parts > 1) {
            return spanning(rank, parts, maker, bundles);
        }
        for (Place place : places()) {
            if (fits(place, maker.resources(placement(rank, place)), bundles)) {
                return Optional.of(made(rank, List.of(place), maker, bundles));
            }
        }
        return Optional.empty();
    }

    /** An engine over several nodes of one node group. */
    private Optional<EnginePlan> spanning(int rank, int parts, EnginePlanFactory maker, BundleAllocator bundles) {
        Map<String, List<Place>> byGroup = new LinkedHashMap<>();
        for (Place place : places()) {
            byGroup.computeIfAbsent(place.group().label(), label -> new ArrayList<>())
                    .add(place);
        }
        for (List<Place> places : byGroup.values()) {
            List<Place> found = new ArrayList<>();
            for (int i = 0; i < places.size() && found.size() < parts; i++) {
                Place place = places.get(i);
                boolean known = found.stream().anyMatch(other -> other.node().equals(place.node()));
                // What a part has taken stays taken where the others find no place: then there is none for further
                // engines.
                if (!known && fits(place, maker.resources(placement(rank, place)), bundles)) {
                    found.add(place);
                }
            }
            if (found.size() == parts) {
                return Optional.of(made(rank, found, maker, bundles));
            }
        }
        return Optional.empty();
    }

    private EnginePlan made(int rank, List<Place> places, EnginePlanFactory maker, BundleAllocator bundles) {
        EnginePlan engine =
                maker.make(places.stream().map(place -> placement(rank, place)).toList(), bundles);
        places.forEach(place -> use(place.node(), place.pieces(), fixedPorts));
        return engine;
    }

    private boolean fits(Place place, Map<String, Double> resources, BundleAllocator bundles) {
        return bundles instanceof BundleAllocator.New own
                ? room.take(place.node(), own.reserved(place.node(), resources))
                : room.has(place.node()) && bundles.has(place.node(), place.pieces(), resources);
    }

    private Set<Integer> ports(NodeInfo node) {
        return usedPorts.computeIfAbsent(node.ip(), ip -> new HashSet<>());
    }

    private void use(NodeInfo node, List<Integer> pieces, Set<Integer> ports) {
        ports(node).addAll(ports);
        usedNodes.add(node.ip());
        enginesOn.merge(node.ip(), 1, Integer::sum);
        usedPieces.computeIfAbsent(node.ip(), ip -> new HashSet<>()).addAll(pieces);
    }

    private List<Place> places() {
        int width = width();
        List<Place> places = new ArrayList<>();
        for (NodeGroupInfo group : groups()) {
            for (NodeInfo node : group.nodes()) {
                if (room.has(node) && isAllowed(node)) {
                    if (width == 0) {
                        places.add(new Place(node, group, List.of()));
                    } else {
                        free(node, group, width).ifPresent(pieces -> places.add(new Place(node, group, pieces)));
                    }
                }
            }
        }
        if (width == 0) {
            // Engines without accelerators of their own share nodes evenly.
            places.sort(Comparator.comparing(
                    place -> enginesOn.getOrDefault(place.node().ip(), 0)));
        }
        return places;
    }

    private List<NodeGroupInfo> groups() {
        return alike.stream()
                .map(engine -> engine.placement().nodeGroupLabel())
                .distinct()
                .flatMap(label -> cluster.nodeGroup(label).stream())
                .toList();
    }

    /** Whether the strategy of the fleet's own placement group lets an engine be on a node. */
    private boolean isAllowed(NodeInfo node) {
        if (!Collections.disjoint(ports(node), fixedPorts)) {
            return false; // another engine, or the router, listens at such a port there
        }
        return switch (request.groupSettings().strategy()) {
            case STRICT_PACK -> usedNodes.contains(node.ip());
            case STRICT_SPREAD -> !usedNodes.contains(node.ip());
            case PACK, SPREAD -> true;
        };
    }

    private Optional<List<Integer>> free(NodeInfo node, NodeGroupInfo group, int width) {
        Set<Integer> used = usedPieces.getOrDefault(node.ip(), Set.of());
        int pieces = group.hardwareType().map(node::hardwareCount).orElse(0);
        return IntStream.rangeClosed(0, pieces - width)
                .mapToObj(first -> IntStream.range(first, first + width).boxed().toList())
                .filter(run -> run.stream().noneMatch(used::contains))
                .findFirst();
    }

    /** How many nodes an engine spans: as those that there are, where they agree. */
    private int parts() {
        List<Integer> parts =
                alike.stream().map(engine -> engine.parts().size()).distinct().toList();
        return parts.size() == 1 ? parts.get(0) : 1;
    }

    /** How many pieces of a node's hardware an engine gets: as those that there are, else what its sizes ask for. */
    private int width() {
        List<Integer> widths = alike.stream()
                .flatMap(engine -> engine.parts().stream())
                .map(part -> part.placement().localHardwareRanks().size())
                .distinct()
                .toList();
        return widths.size() == 1 || server.acceleratorsPerEngine() < 1
                ? widths.get(0)
                : server.acceleratorsPerEngine() / parts();
    }

    private Placement placement(int rank, Place place) {
        NodeInfo node = place.node();
        boolean isolate = alike.get(0).placement().isolateAccelerator();
        boolean accelerators =
                place.group().hardwareType().filter(node::isAccelerator).isPresent()
                        && !place.pieces().isEmpty();
        int before = enginesOn.getOrDefault(node.ip(), 0);
        List<String> nodes = List.copyOf(enginesOn.keySet());
        int nodeRank = nodes.contains(node.ip()) ? nodes.indexOf(node.ip()) : nodes.size();
        return new PlacementDraft(
                        node,
                        place.pieces(),
                        isolate && accelerators,
                        place.group().label())
                .toPlacement(rank, nodeRank, before, before + 1, isolate);
    }

    private String needs(int width) {
        String pieces = width + (width == 1 ? " piece" : " pieces") + " of hardware";
        if (parts() > 1) {
            return parts() + " nodes" + (width == 0 ? "" : " with " + pieces + " each");
        }
        return width == 0 ? "a node" : pieces + " of one node";
    }

    private String ports() {
        return fixedPorts.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private PlacementException noPlace(int rank, int lacking, int wanted) {
        int width = width();
        TextTable table = new TextTable();
        for (NodeInfo node : cluster.nodes()) {
            table.row(
                    "node rank " + node.rank(),
                    node.ip(),
                    enginesOn.getOrDefault(node.ip(), 0) + " engine(s) of this fleet",
                    room.has(node) ? room.left(node) : "gone");
        }
        return PlacementException.builder("there is no place for %d of %d further engine(s): each needs %s in %s"
                        .formatted(
                                lacking,
                                wanted,
                                needs(width),
                                String.join(
                                        ", ",
                                        groups().stream()
                                                .map(NodeGroupInfo::toString)
                                                .toList())))
                .fix(
                        fixedPorts.isEmpty()
                                ? null
                                : "Its arguments fix the port(s) %s, so that each node can have one such engine."
                                        .formatted(ports()))
                .component(PlanRequest.poolName(server.groupName(), pool.name()))
                .rank(rank)
                .available("Nodes", table.lines(20, "nodes"))
                .build();
    }
}
