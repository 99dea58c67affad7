/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.Placement;
import java.util.List;

/** Plans a fleet that runs already, from where its processes are: for an owner that takes it over. Pure. */
public final class RunningFleetPlan {
    private RunningFleetPlan() {}

    /**
     * Where a part of an engine is.
     *
     * @param placement its place
     * @param bundle its bundle
     */
    public record Seat(Placement placement, int bundle) {}

    /**
     * Plans it.
     *
     * @param request what it was planned from
     * @param cluster the cluster with the nodes that joined since
     * @param seats its engines, with the seats of their parts
     * @param engines how many engines the fleet has
     * @param masterAddress the {@code MASTER_ADDR} that its engines were given
     * @param routerBundle the router's bundle; not used where the request has no router
     * @param bundles the bundles of the launch's placement group
     */
    public static FleetPlan plan(
            PlanRequest request,
            Cluster cluster,
            List<List<Seat>> seats,
            int engines,
            String masterAddress,
            int routerBundle,
            List<BundlePlan> bundles) {
        List<EnginePlan> plans = request.server()
                .map(server -> {
                    EnginePlanFactory maker = new EnginePlanFactory(request, server, cluster, masterAddress, engines);
                    return seats.stream()
                            .map(parts -> maker.make(
                                    parts.stream().map(Seat::placement).toList(),
                                    new BundleAllocator.Taken(
                                            parts.stream().map(Seat::bundle).iterator())))
                            .toList();
                })
                .orElse(List.of());
        RouterPlan router = request.router()
                .map(wanted -> FleetPlanner.router(
                        request,
                        wanted,
                        new BundleAllocator.Taken(List.of(routerBundle).iterator())))
                .orElse(null);
        return new FleetPlan(
                request.fleetName(), request.group(request.fleetName()), plans, router, bundles, List.of());
    }
}
