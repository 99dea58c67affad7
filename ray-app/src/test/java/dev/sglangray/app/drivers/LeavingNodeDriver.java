/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.Fleet;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchContext;
import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.config.Config;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.ray.RayClusterReader;
import io.ray.api.Ray;

/** Plans, waits until Ray notices that a node is gone, and launches on the cluster as it was. */
public final class LeavingNodeDriver {

    private LeavingNodeDriver() {}

    public static void main(String[] arguments) throws InterruptedException {
        Config root = DriverSupport.config(arguments);
        try (RaySession session = DriverSupport.connect()) {
            FleetSpec spec = FleetSpec.of(root);
            Cluster cluster = spec.cluster(RayClusterReader.read());
            System.out.println("planned on " + cluster.nodes().size() + " nodes, namespace " + session.namespace());
            while (living() == cluster.nodes().size()) {
                Thread.sleep(100);
            }
            try (Fleet fleet = SGLangLauncher.launch(
                    spec, cluster, LaunchOptions.DEFAULT, LaunchContext.of(LaunchListener.NONE))) {
                System.out.println("launched " + fleet.apiUrl());
            } catch (PlacementException refusal) {
                System.out.println(refusal.getMessage());
                System.out.println("refused");
            }
        }
    }

    private static long living() {
        return Ray.getRuntimeContext().getAllNodeInfo().stream()
                .filter(node -> node.isAlive)
                .count();
    }
}
