/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.config.Config;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.placement.ray.GroupCreator;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.placement.ray.ResourceLedger;
import java.time.Duration;
import java.util.Locale;

/** Reads the cluster, plans, reserves and gives back, several times, and prints how long each took in milliseconds. */
public final class ReservationDriver {
    private static final int ROUNDS = 6;

    private ReservationDriver() {}

    public static void main(String[] arguments) {
        Config root = DriverSupport.config(arguments);
        try (RaySession session = DriverSupport.connect()) {
            FleetSpec spec = FleetSpec.of(root);
            for (int round = 0; round < ROUNDS; round++) {
                round(spec, session.namespace() + "-" + round);
            }
        }
    }

    private static void round(FleetSpec spec, String fleet) {
        long begin = System.nanoTime();
        Cluster cluster = spec.cluster(RayClusterReader.read());
        long read = System.nanoTime();
        FleetPlan plan = SGLangLauncher.plan(
                spec, cluster, LaunchOptions.builder().fleetName(fleet).build());
        long planned = System.nanoTime();
        long reserved;
        try (FleetReservation reservation = FleetReservation.reserve(
                plan,
                Duration.ofMinutes(2),
                text -> {},
                ResourceLedger.PUBLIC,
                GroupCreator.OF_THIS_PROCESS,
                () -> false)) {
            reserved = System.nanoTime();
        }
        System.out.println(String.format(
                Locale.ROOT,
                "round nodes=%d bundles=%d read=%.1f plan=%.1f reserve=%.1f remove=%.1f",
                cluster.nodes().size(),
                plan.bundles().size(),
                (read - begin) / 1e6,
                (planned - read) / 1e6,
                (reserved - planned) / 1e6,
                (System.nanoTime() - reserved) / 1e6));
    }
}
