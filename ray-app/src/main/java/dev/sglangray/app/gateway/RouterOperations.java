/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.WorkerGroupFuture;
import dev.sglangray.workers.protocol.ServerEndpoint;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/** What Python may ask of the router, by RLinf's names where it has them. For one use. */
final class RouterOperations {
    private static final Duration RESTART = Duration.ofMinutes(5);
    /** RLinf waits this long for an answer. */
    private static final Duration GENERATE = Duration.ofMinutes(10);

    private final Map<String, GatewayMethod> all = new LinkedHashMap<>();

    private RouterOperations() {}

    static Map<String, GatewayMethod> of(RouterGroup router) {
        RouterOperations operations = new RouterOperations();
        operations.addAll(router);
        return Map.copyOf(operations.all);
    }

    private void addAll(RouterGroup router) {
        add("get_router_url", given -> router.getRouterUrl());
        add(
                "register_server",
                given -> router.registerServer(
                        endpoint(given),
                        given.seconds("timeout", RouterGroup.DEFAULT_REGISTRATION_TIMEOUT),
                        given.seconds("poll_interval", RouterGroup.DEFAULT_POLL_INTERVAL)));
        add("generate", given -> router.generate(given.map("request"), given.seconds("timeout", GENERATE)));
        add("unregister_server", given -> router.unregisterServer(given.text("url")));
        add("servers", given -> router.servers());
        add("is_healthy", given -> router.isHealthy());
        add("status", given -> router.status());
        add("log_tail", given -> router.logTail(given.integer("lines", 40)));
        add("events", given -> router.events(given.integer("since", 0)));
        add(
                "restart",
                given -> router.restart(
                        given.optionalText("why").orElse("asked for from Python"), given.seconds("timeout", RESTART)));
        add("shutdown", given -> router.shutdown());
    }

    private static ServerEndpoint endpoint(GatewayArguments arguments) {
        return new ServerEndpoint(
                arguments.text("url"),
                arguments.optionalText("worker_type").orElse("regular"),
                arguments.optionalInteger("bootstrap_port").orElse(null),
                arguments.optionalText("api_key").orElse(null));
    }

    private void add(String name, Function<GatewayArguments, WorkerGroupFuture<?>> call) {
        all.put(name, arguments -> call.apply(arguments).toCompletableFuture());
    }
}
