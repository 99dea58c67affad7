/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.EnvironmentMerge;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes engines' plans of their placements. */
final class EnginePlanFactory {
    private final PlanRequest request;
    private final PlanRequest.Pool pool;
    private final PlanRequest.Server server;
    private final Cluster cluster;
    private final AcceleratorFractions shares;
    private final SchedulerEnvironment environment;
    private final Map<String, @Nullable Object> arguments;

    EnginePlanFactory(
            PlanRequest request,
            PlanRequest.Pool pool,
            Cluster cluster,
            AcceleratorFractions shares,
            SchedulerEnvironment environment) {
        this.request = request;
        this.pool = pool;
        this.server = pool.server();
        this.cluster = cluster;
        this.shares = shares;
        this.environment = environment;
        this.arguments = OrderedMap.copyOf(server.arguments());
    }

    /** For engines of a fleet that runs. */
    EnginePlanFactory(
            PlanRequest request, PlanRequest.Pool pool, Cluster cluster, String masterAddress, int worldSize) {
        this(
                request,
                pool,
                cluster,
                new AcceleratorFractions(cluster, pool.server().groupName(), List.of(), request.groupSettings()),
                new SchedulerEnvironment(request.namespace(), pool.server().groupName(), masterAddress, worldSize));
    }

    /** What the engine's actor takes of its bundle, by Ray's names. */
    Map<String, Double> resources(Placement placement) {
        Map<String, Double> resources = actor(shares.amount(placement), request.cpusPerActor());
        resources.putAll(request.groupSettings().engineResources());
        return resources;
    }

    /** What an actor takes: accelerators, where it has any, and CPUs. */
    static Map<String, Double> actor(Optional<AcceleratorFractions.Amount> hardware, double cpus) {
        Map<String, Double> resources = new LinkedHashMap<>();
        hardware.ifPresent(amount -> resources.put(amount.resource(), amount.amount()));
        if (cpus > 0) {
            resources.put("CPU", cpus);
        }
        return resources;
    }

    /**
     * Makes an engine's plan.
     *
     * @param parts the places of its parts, by SGLang's {@code node_rank}
     */
    EnginePlan make(List<Placement> parts, BundleAllocator bundles) {
        return new EnginePlan(
                parts.get(0).rank(),
                server.groupName(),
                pool.name(),
                server.serverType(),
                arguments,
                parts.stream().map(part -> part(part, bundles)).toList());
    }

    private EnginePart part(Placement placement, BundleAllocator bundles) {
        NodeInfo node = cluster.node(placement.clusterNodeRank());
        NodeGroupInfo group = cluster.nodeGroup(placement.nodeGroupLabel()).orElseThrow();
        Map<String, Double> resources = resources(placement);
        return new EnginePart(
                node,
                placement,
                bundles.choose(
                        server.groupName() + ":" + placement.rank(), node, placement.localHardwareRanks(), resources),
                resources,
                environment.of(
                        placement,
                        node,
                        placement.visibleAccelerators(),
                        EnvironmentMerge.merge(group.environmentVariables(node.rank()), pool.environment())),
                group.pythonInterpreter(node.rank()).orElse(null));
    }
}
