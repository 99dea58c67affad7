/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerGroupFuture;
import dev.sglangray.workers.protocol.PauseMode;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/** What Python may ask of the engines, by RLinf's names where it has them. Stateless. */
final class ServerOperations {
    private static final Duration LONG = Duration.ofMinutes(20);
    private static final Duration SWITCH = Duration.ofMinutes(5);
    static final Duration DRAIN = Duration.ofMinutes(5);

    private ServerOperations() {}

    static Map<String, GatewayMethod> of(Supplier<ServerGroup> servers) {
        Map<String, GatewayMethod> all = new LinkedHashMap<>();
        add(all, servers, "get_server_url", (group, arguments) -> group.getServerUrl());
        add(all, servers, "is_healthy", (group, arguments) -> group.isHealthy());
        add(all, servers, "status", (group, arguments) -> group.status());
        add(all, servers, "log_tail", (group, arguments) -> group.logTail(arguments.integer("lines", 40)));
        add(all, servers, "events", (group, arguments) -> group.events(arguments.integer("since", 0)));
        add(
                all,
                servers,
                "abort",
                (group, arguments) ->
                        group.abort(arguments.optionalText("request_id").orElse("")));
        add(all, servers, "drain", (group, arguments) -> group.drain(arguments.seconds("timeout", DRAIN)));
        add(all, servers, "undrain", (group, arguments) -> group.undrain(arguments.seconds("timeout", DRAIN)));
        add(all, servers, "pause_probes", (group, arguments) -> group.pauseProbes(arguments.flag("paused", true)));
        add(
                all,
                servers,
                "release_memory",
                (group, arguments) ->
                        group.releaseMemory(arguments.texts("tags"), arguments.seconds("timeout", SWITCH)));
        add(
                all,
                servers,
                "resume_memory",
                (group, arguments) ->
                        group.resumeMemory(arguments.texts("tags"), arguments.seconds("timeout", SWITCH)));
        add(
                all,
                servers,
                "pause_generation",
                (group, arguments) -> group.pauseGeneration(
                        arguments.word("mode", PauseMode.class, PauseMode.ABORT),
                        arguments.seconds("timeout", SWITCH)));
        add(
                all,
                servers,
                "continue_generation",
                (group, arguments) -> group.continueGeneration(arguments.seconds("timeout", SWITCH)));
        add(all, servers, "flush_cache", (group, arguments) -> group.flushCache(arguments.seconds("timeout", SWITCH)));
        add(
                all,
                servers,
                "restart",
                (group, arguments) -> group.restart(
                        arguments.optionalText("why").orElse("asked for from Python"),
                        arguments.seconds("timeout", LONG)));
        add(all, servers, "shutdown", (group, arguments) -> group.shutdown());
        return Map.copyOf(all);
    }

    private static void add(
            Map<String, GatewayMethod> to,
            Supplier<ServerGroup> servers,
            String name,
            BiFunction<ServerGroup, GatewayArguments, WorkerGroupFuture<?>> call) {
        to.put(name, arguments -> {
            int[] ranks = arguments.ranks();
            ServerGroup now = servers.get();
            ServerGroup group = ranks.length == 0 ? now : now.on(ranks);
            return call.apply(group, arguments).toCompletableFuture();
        });
    }
}
