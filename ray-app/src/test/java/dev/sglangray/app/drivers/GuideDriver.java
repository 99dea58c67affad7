/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.Fleet;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.config.ClusterConfig;
import dev.sglangray.config.Config;
import dev.sglangray.placement.Cluster;
import dev.sglangray.placement.ComponentPlacement;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The guide's driver in Java, with every handle that it names. */
public final class GuideDriver {

    private GuideDriver() {}

    public static void main(String[] arguments) {
        Config root = DriverSupport.config(arguments);
        try (RaySession session = DriverSupport.connect()) {
            Cluster cluster = Cluster.of(ClusterConfig.from(root), RayClusterReader.read());
            ComponentPlacement placement = ComponentPlacement.of(root, cluster);
            LaunchOptions options = LaunchOptions.builder()
                    .rolloutNodeGroups(placement.getNodeGroups("rollout"))
                    .build();
            try (Fleet fleet = SGLangLauncher.launchRouterAndServer(
                    cluster, placement.getHardwareRanks("rollout"), root.require("router_server_args"), options)) {
                use(fleet.serverGroup().orElseThrow(), fleet.routerGroup().orElseThrow());
            }
            System.out.println("session of namespace " + session.namespace());
        }
    }

    static void use(ServerGroup servers, RouterGroup router) {
        String routerUrl = router.getRouterUrl().awaitSingle();
        List<String> urls = servers.getServerUrl().await();
        System.out.println("router " + routerUrl);
        System.out.println("engines " + urls);
        System.out.println("healthy " + servers.isHealthy().await() + " "
                + router.isHealthy().await());
        System.out.println("listed " + router.servers().awaitSingle().size());

        boolean gone = router.unregisterServer(urls.get(0)).awaitSingle();
        System.out.println("unregistered " + gone + ", listed "
                + router.servers().awaitSingle().size());
        System.out.println(answering(routerUrl) == 1 ? "answered by one engine" : "answered by several");
        router.registerServer(urls.get(0)).await();
        System.out.println(
                "registered again, listed " + router.servers().awaitSingle().size());

        System.out.println("shutdown " + router.shutdown().await() + " "
                + servers.shutdown().await());
        System.out.println("healthy " + servers.isHealthy().await() + " "
                + router.isHealthy().await());
    }

    /** How many different engines answer six requests. */
    private static int answering(String url) {
        Set<String> pids = new HashSet<>();
        try (InferenceHttpClient client = InferenceHttpClient.of(url)) {
            for (int i = 0; i < 6; i++) {
                pids.add(client.generate(GenerateRequest.builder().text("who?").build())
                        .single()
                        .metaInfo()
                        .toString());
            }
        }
        return pids.size();
    }
}
