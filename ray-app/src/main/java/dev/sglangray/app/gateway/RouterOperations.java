/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.WorkerGroupFuture;
import dev.sglangray.workers.protocol.ServerEndpoint;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** What Python may ask of the router, by RLinf's names where it has them. Stateless. */
final class RouterOperations {
    private static final Duration RESTART = Duration.ofMinutes(5);
    /** RLinf waits this long for an answer. */
    private static final Duration GENERATE = Duration.ofMinutes(10);

    private RouterOperations() {}

    static Map<String, GatewayMethod> of(RouterGroup router) {
        Map<String, GatewayMethod> all = new LinkedHashMap<>();
        add(all, "get_router_url", arguments -> router.getRouterUrl());
        add(
                all,
                "register_server",
                arguments -> router.registerServer(
                        endpoint(arguments),
                        arguments.seconds("timeout", RouterGroup.DEFAULT_REGISTRATION_TIMEOUT),
                        arguments.seconds("poll_interval", RouterGroup.DEFAULT_POLL_INTERVAL)));
        add(
                all,
                "generate",
                arguments -> router.generate(arguments.map("request"), arguments.seconds("timeout", GENERATE)));
        add(all, "unregister_server", arguments -> router.unregisterServer(arguments.text("url")));
        add(all, "servers", arguments -> router.servers());
        add(all, "is_healthy", arguments -> router.isHealthy());
        add(all, "status", arguments -> router.status());
        add(all, "log_tail", arguments -> router.logTail(arguments.integer("lines", 40)));
        add(all, "events", arguments -> router.events(arguments.integer("since", 0)));
        add(
                all,
                "restart",
                arguments -> router.restart(
                        arguments.optionalText("why").orElse("asked for from Python"),
                        arguments.seconds("timeout", RESTART)));
        add(all, "shutdown", arguments -> router.shutdown());
        return Map.copyOf(all);
    }

    private static ServerEndpoint endpoint(GatewayArguments arguments) {
        return new ServerEndpoint(
                arguments.text("url"),
                arguments.optionalText("worker_type").orElse("regular"),
                arguments.optionalInteger("bootstrap_port").orElse(null),
                arguments.optionalText("api_key").orElse(null));
    }

    private static void add(
            Map<String, GatewayMethod> to, String name, Function<GatewayArguments, WorkerGroupFuture<?>> call) {
        to.put(name, arguments -> call.apply(arguments).toCompletableFuture());
    }
}
