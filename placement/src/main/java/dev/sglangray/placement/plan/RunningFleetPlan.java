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
     * Where an engine is.
     *
     * @param pool its pool
     * @param parts its parts
     */
    public record Engine(String pool, List<Seat> parts) {
        /** Copies the list. */
        public Engine {
            parts = List.copyOf(parts);
        }
    }

    /**
     * Plans it.
     *
     * @param request what it was planned from
     * @param cluster the cluster with the nodes that joined since
     * @param seats its engines
     * @param engines how many engines the fleet has
     * @param masterAddress the {@code MASTER_ADDR} that its engines were given
     * @param routerBundle the router's bundle; not used where the request has no router
     * @param bundles the bundles of the launch's placement group
     */
    public static FleetPlan plan(
            PlanRequest request,
            Cluster cluster,
            List<Engine> seats,
            int engines,
            String masterAddress,
            int routerBundle,
            List<BundlePlan> bundles) {
        List<EnginePlan> plans = seats.stream()
                .map(engine -> new EnginePlanFactory(
                                request, request.pool(engine.pool()), cluster, masterAddress, engines)
                        .make(
                                engine.parts().stream().map(Seat::placement).toList(),
                                new BundleAllocator.Taken(engine.parts().stream()
                                        .map(Seat::bundle)
                                        .iterator())))
                .toList();
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
