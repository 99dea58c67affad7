/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.Fleet;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.config.Config;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The guide's driver in Java, with every handle that it names. */
public final class GuideDriver {

    private GuideDriver() {}

    public static void main(String[] arguments) {
        Config root = DriverSupport.config(arguments);
        try (RaySession session = DriverSupport.connect()) {
            try (Fleet fleet = SGLangLauncher.launch(FleetSpec.of(root), LaunchOptions.DEFAULT)) {
                ServerGroup servers = fleet.serverGroup().orElseThrow();
                RouterGroup router = fleet.routerGroup().orElseThrow();
                lookUpOften(servers.name());
                say("healthy after lookups " + servers.isHealthy().await());
                use(servers, router);
                say("healthy " + servers.isHealthy().await() + " "
                        + router.isHealthy().await());
            }
            System.out.println("session of namespace " + session.namespace());
        }
    }

    /** Handles by name, which the JVM then collects, in the process that owns the actors. */
    private static void lookUpOften(String group) {
        for (int i = 0; i < 20; i++) {
            var unused = ServerGroup.find(group).orElseThrow();
            System.gc();
        }
    }

    static void use(ServerGroup servers, RouterGroup router) {
        String routerUrl = router.getRouterUrl().awaitSingle();
        List<String> urls = servers.getServerUrl().await();
        say("router " + routerUrl);
        say("engines " + urls);
        say("healthy " + servers.isHealthy().await() + " " + router.isHealthy().await());
        say("listed " + router.servers().awaitSingle().size());

        boolean gone = router.unregisterServer(urls.get(0)).awaitSingle();
        say("unregistered " + gone + ", listed "
                + router.servers().awaitSingle().size());
        say(answering(routerUrl) == 1 ? "answered by one engine" : "answered by several");
        say("generated "
                + router.generate(
                                Map.of(
                                        "text",
                                        "The capital of France is",
                                        "sampling_params",
                                        Map.of("max_new_tokens", 4)),
                                Duration.ofMinutes(1))
                        .awaitSingle()
                        .containsKey("text"));
        router.registerServer(urls.get(0)).await();
        say("registered again, listed " + router.servers().awaitSingle().size());

        say("shutdown " + router.shutdown().await() + " " + servers.shutdown().await());
    }

    /** A line on standard output, and when it was said on standard error. */
    private static void say(String line) {
        System.out.println(line);
        System.err.println(Instant.now() + " " + line);
    }

    /** How many different stand-ins answer six requests; real engines do not tell who they are. */
    private static int answering(String url) {
        Set<String> pids = new HashSet<>();
        try (InferenceHttpClient client = InferenceHttpClient.of(url)) {
            for (int i = 0; i < 6; i++) {
                GenerateRequest request = GenerateRequest.builder()
                        .text("who?")
                        .samplingParam("max_new_tokens", 4)
                        .build();
                pids.add(String.valueOf(
                        client.generate(request).single().metaInfo().extra().get("pid")));
            }
        }
        return pids.size();
    }
}
