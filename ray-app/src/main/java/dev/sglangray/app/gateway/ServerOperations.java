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

/** What Python may ask of the engines, by RLinf's names where it has them. For one use. */
final class ServerOperations {
    private static final Duration LONG = Duration.ofMinutes(20);
    private static final Duration SWITCH = Duration.ofMinutes(5);
    static final Duration DRAIN = Duration.ofMinutes(5);

    private final Map<String, GatewayMethod> all = new LinkedHashMap<>();
    private final Supplier<ServerGroup> servers;

    private ServerOperations(Supplier<ServerGroup> servers) {
        this.servers = servers;
    }

    static Map<String, GatewayMethod> of(Supplier<ServerGroup> servers) {
        ServerOperations operations = new ServerOperations(servers);
        operations.addAll();
        return Map.copyOf(operations.all);
    }

    private void addAll() {
        add("get_server_url", (group, given) -> group.getServerUrl());
        add("is_healthy", (group, given) -> group.isHealthy());
        add("status", (group, given) -> group.status());
        add("log_tail", (group, given) -> group.logTail(given.integer("lines", 40)));
        add("events", (group, given) -> group.events(given.integer("since", 0)));
        add(
                "abort",
                (group, given) -> group.abort(given.optionalText("request_id").orElse("")));
        add("drain", (group, given) -> group.drain(given.seconds("timeout", DRAIN)));
        add("undrain", (group, given) -> group.undrain(given.seconds("timeout", DRAIN)));
        add("pause_probes", (group, given) -> group.pauseProbes(given.flag("paused", true)));
        add(
                "release_memory",
                (group, given) -> group.releaseMemory(given.texts("tags"), given.seconds("timeout", SWITCH)));
        add(
                "resume_memory",
                (group, given) -> group.resumeMemory(given.texts("tags"), given.seconds("timeout", SWITCH)));
        add(
                "pause_generation",
                (group, given) -> group.pauseGeneration(
                        given.word("mode", PauseMode.class, PauseMode.ABORT), given.seconds("timeout", SWITCH)));
        add("continue_generation", (group, given) -> group.continueGeneration(given.seconds("timeout", SWITCH)));
        add("flush_cache", (group, given) -> group.flushCache(given.seconds("timeout", SWITCH)));
        add(
                "restart",
                (group, given) -> group.restart(
                        given.optionalText("why").orElse("asked for from Python"), given.seconds("timeout", LONG)));
        add("shutdown", (group, given) -> group.shutdown());
    }

    private void add(String name, BiFunction<ServerGroup, GatewayArguments, WorkerGroupFuture<?>> call) {
        all.put(name, arguments -> {
            int[] ranks = arguments.ranks();
            ServerGroup now = servers.get();
            ServerGroup group = ranks.length == 0 ? now : now.on(ranks);
            return call.apply(group, arguments).toCompletableFuture();
        });
    }
}
