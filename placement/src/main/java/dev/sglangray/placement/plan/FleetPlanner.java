/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.config.WholeNumber;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.rank.RankExpression;
import dev.sglangray.placement.rank.RankText;
import dev.sglangray.placement.strategy.NodePlacementStrategy;
import dev.sglangray.placement.strategy.PackedPlacementStrategy;
import dev.sglangray.placement.strategy.PlacementStrategy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Turns a request into a plan. Pure: nothing is started, reserved or asked of Ray.
 *
 * <p>As RLinf's launcher: flat hardware ranks must be contiguous and are packed into engines of equal width, or a strategy
 * is used as it is; the router goes to a node by rank. Other than there, the router sees no accelerator, and two
 * actors of one name are refused.
 */
public final class FleetPlanner {
    private FleetPlanner() {}

    /**
     * Plans a fleet.
     *
     * @throws PlacementException when the cluster cannot give what is asked, naming what, and what exists
     */
    public static FleetPlan plan(PlanRequest request) {
        requireDistinctNames(request);
        requireExistingGroup(request);
        BundleAllocator bundles = request.existingGroup()
                .<BundleAllocator>map(group -> new BundleAllocator.Existing(
                        group, request.cluster(), request.groupSettings().bundles()))
                .orElseGet(() -> new BundleAllocator.New(request.groupSettings().rest()));
        List<String> warnings = new ArrayList<>(request.cluster().warnings());
        List<EnginePlan> engines = request.pools().isEmpty() ? List.of() : engines(request, bundles, warnings);
        RouterPlan router =
                request.router().map(wanted -> router(request, wanted, bundles)).orElse(null);
        FleetPlan plan = new FleetPlan(
                request.fleetName(), request.group(request.fleetName()), engines, router, bundles.bundles(), warnings);
        StrategyCheck.check(plan);
        return plan;
    }

    private static void requireExistingGroup(PlanRequest request) {
        Optional<String> wanted = request.groupSettings().existing();
        Optional<String> given = request.existingGroup().map(ExistingGroup::name);
        if (wanted.isPresent() && !wanted.equals(given)) {
            throw PlacementException.builder(
                            "the fleet is to be placed into placement group \"%s\", whose bundles are known only from the Ray cluster that has it"
                                    .formatted(wanted.get()))
                    .fix("Plan against the live cluster, with --address.")
                    .build();
        }
    }

    private static void requireDistinctNames(PlanRequest request) {
        String server = request.server().map(PlanRequest.Server::groupName).orElse(null);
        String router = request.router().map(PlanRequest.Router::groupName).orElse(null);
        if (server != null && server.equals(router)) {
            throw PlacementException.builder(
                            ("group_name and router_group_name are both \"%s\", so that engine 0 and the router would"
                                            + " have one actor name, \"%s:0\"")
                                    .formatted(server, server))
                    .fix("Give them different names.")
                    .build();
        }
        for (String name : server == null ? new String[] {router} : new String[] {server, router}) {
            if (name != null && RankText.strip(name).isEmpty()) {
                throw PlacementException.of("a group name is empty: group_name and router_group_name need a text");
            }
        }
    }

    private static List<EnginePlan> engines(PlanRequest request, BundleAllocator bundles, List<String> warnings) {
        Cluster cluster = request.cluster();
        List<List<Placement>> processes = new ArrayList<>();
        List<PlanRequest.Pool> pools = new ArrayList<>();
        for (PlanRequest.Pool pool : request.pools()) {
            for (List<Placement> process : places(request, pool)) {
                int rank = processes.size();
                processes.add(
                        pools.isEmpty() || rank == process.get(0).rank()
                                ? process
                                : process.stream()
                                        .map(part -> part.atRank(rank))
                                        .toList());
                pools.add(pool);
            }
        }
        if (request.pools().size() == 1) {
            processes = ranked(request, processes);
        }
        String group = request.pools().get(0).server().groupName();
        List<Placement> parts = processes.stream().flatMap(List::stream).toList();
        AcceleratorFractions shares = new AcceleratorFractions(cluster, group, parts, request.groupSettings());
        SchedulerEnvironment environment = new SchedulerEnvironment(
                request.namespace(),
                group,
                cluster.node(parts.get(0).clusterNodeRank()).ip(),
                processes.size());
        List<EnginePlan> engines = new ArrayList<>(processes.size());
        Map<String, EnginePlanFactory> makers = new HashMap<>();
        for (int rank = 0; rank < processes.size(); rank++) {
            PlanRequest.Pool pool = pools.get(rank);
            engines.add(makers.computeIfAbsent(
                            pool.name(), name -> new EnginePlanFactory(request, pool, cluster, shares, environment))
                    .make(processes.get(rank), bundles));
        }
        request.existingGroup()
                .filter(existing -> isOrdered(request))
                .ifPresent(existing ->
                        BundleOrder.require(engines, request.groupSettings().bundles(), existing));
        for (PlanRequest.Pool pool : request.pools()) {
            List<EnginePlan> own = engines.stream()
                    .filter(engine -> engine.pool().equals(pool.name()))
                    .toList();
            warnOfOtherWidths(pool.server(), own, shares, warnings);
            warnOfLooseShares(request, pool.server(), own, warnings);
        }
        return Collections.unmodifiableList(engines);
    }

    /** The parts of each engine of a pool. */
    private static List<List<Placement>> places(PlanRequest request, PlanRequest.Pool pool) {
        try {
            PlacementStrategy strategy = Objects.requireNonNullElseGet(pool.strategyOrNull(), () -> packed(pool));
            return places(strategy, request, pool.server());
        } catch (PlacementException refusal) {
            throw refusal.inside(PlanRequest.poolName(pool.server().groupName(), pool.name()));
        }
    }

    private static boolean isOrdered(PlanRequest request) {
        return !request.groupSettings().bundles().isEmpty();
    }

    /** The parts of each engine. */
    private static List<List<Placement>> places(
            PlacementStrategy strategy, PlanRequest request, PlanRequest.Server server) {
        return request.acrossNodes()
                ? strategy.getParts(
                        request.cluster(),
                        true,
                        WholeNumber.of(server.arguments().get("nnodes")).orElse(0))
                : strategy.getPlacement(request.cluster(), true).stream()
                        .map(List::of)
                        .toList();
    }

    private static List<List<Placement>> ranked(PlanRequest request, List<List<Placement>> processes) {
        return request.existingGroup()
                .filter(group -> isOrdered(request))
                .map(group ->
                        BundleOrder.rank(processes, request.groupSettings().bundles(), group, request.cluster()))
                .orElse(processes);
    }

    private static PlacementStrategy packed(PlanRequest.Pool pool) {
        if (pool.ranksOrNull() == null) {
            throw PlacementException.of(
                    "hardware ranks are needed to place the engines when no placement strategy is given");
        }
        List<Integer> ranks = pool.ranksOrNull().stream().sorted().toList();
        if (ranks.isEmpty()) {
            throw PlacementException.of("the list of hardware ranks for the engines is empty");
        }
        int first = ranks.get(0);
        int last = ranks.get(ranks.size() - 1);
        boolean repeats = ranks.stream().distinct().count() < ranks.size();
        if (repeats || last - first + 1 != ranks.size()) {
            throw PlacementException.builder("hardware ranks must be contiguous to be packed into engines, but %s"
                            .formatted(
                                    repeats
                                            ? ranks + " names one twice"
                                            : RankExpression.describe(ranks) + " has a gap"))
                    .fix("Name a range without gaps, or pass the component's own placement strategy.")
                    .build();
        }
        return PackedPlacementStrategy.of(first, last, pool.server().acceleratorsPerEngine(), pool.nodeGroups());
    }

    /** A strategy's widths are the caller's affair, as in RLinf; an engine that is too narrow fails only when it starts. */
    private static void warnOfOtherWidths(
            PlanRequest.Server server, List<EnginePlan> engines, AcceleratorFractions shares, List<String> warnings) {
        int wanted = server.acceleratorsPerEngine();
        List<EnginePlan> others = engines.stream()
                .filter(engine -> width(engine, shares) != wanted)
                .toList();
        if (wanted > 0 && !others.isEmpty()) {
            EnginePlan first = others.get(0);
            warnings.add(
                    "%s: the placement gives %d of %d engines another number of accelerators than the %d that their"
                                    .formatted(server.groupName(), others.size(), engines.size(), wanted)
                            + " sizes ask for; engine %d gets %d".formatted(first.rank(), width(first, shares)));
        }
    }

    private static int width(EnginePlan engine, AcceleratorFractions shares) {
        return engine.parts().stream()
                .mapToInt(part -> shares.width(part.placement()))
                .sum();
    }

    /** Ray gives parts of accelerators out of as few as it can, unless every bundle is a whole one. */
    private static void warnOfLooseShares(
            PlanRequest request, PlanRequest.Server server, List<EnginePlan> engines, List<String> warnings) {
        GroupSettings settings = request.groupSettings();
        boolean loose = engines.stream()
                .anyMatch(engine -> engine.resources().entrySet().stream()
                        .anyMatch(own -> own.getKey()
                                        .equals(engine.node().acceleratorType().rayResource())
                                && BundleAllocator.New.sum(
                                                own.getValue(), settings.rest().getOrDefault(own.getKey(), 0.0))
                                        < 1));
        if (settings.acceleratorShare() < 1 && settings.existing().isEmpty() && engines.size() > 1 && loose) {
            warnings.add(
                    ("%s: accelerator_share %s leaves bundles of less than one accelerator, so that Ray may give engines that"
                                    + " are planned on different ones the same; add the rest to placement_group.rest")
                            .formatted(server.groupName(), ResourceText.number(settings.acceleratorShare())));
        }
    }

    static RouterPlan router(PlanRequest request, PlanRequest.Router router, BundleAllocator bundles) {
        Cluster cluster = request.cluster();
        Placement placement;
        try {
            placement = new NodePlacementStrategy(List.of(request.routerNodeRank()), List.of())
                    .getPlacement(cluster, true)
                    .get(0);
        } catch (PlacementException refusal) {
            throw refusal.inside(router.groupName());
        }
        NodeInfo node = cluster.node(placement.clusterNodeRank());
        NodeGroupInfo group = cluster.nodeGroup(placement.nodeGroupLabel()).orElseThrow();
        Map<String, Double> resources = EnginePlanFactory.actor(Optional.empty(), request.cpusPerActor());
        return new RouterPlan(
                router.groupName(),
                router.type(),
                node,
                bundles.choose(router.groupName() + ":0", node, List.of(), resources),
                resources,
                router.arguments(),
                new SchedulerEnvironment(request.namespace(), router.groupName(), node.ip(), 1)
                        .of(placement, node, List.of(), group.environmentVariables(node.rank())),
                group.pythonInterpreter(node.rank()).orElse(null));
    }
}
