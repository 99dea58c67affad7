/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.registry.RouterPort;
import dev.sglangray.workers.registry.ServerFacts;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** One process of a router, as sglang-router 0.3.2 behaves: adding and removing only queue jobs, and a job cannot be taken back. */
final class SimRouter {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final long STARTUP_TIMEOUT = 30_000_000;

    private final World world;
    private final Map<String, SimServer> servers;
    private final Map<String, String> listed = new LinkedHashMap<>();
    private final Map<String, String> ids = new HashMap<>();
    private final Map<String, String> failed = new HashMap<>();
    private int count;
    private long hungUntil;
    boolean alive = true;

    /** {@code servers}: what listens where, by URL. */
    SimRouter(World world, Map<String, SimServer> servers) {
        this.world = world;
        this.servers = servers;
    }

    /** The URLs that it sends requests to. */
    Iterable<String> listed() {
        return listed.keySet();
    }

    boolean lists(String url) {
        return listed.containsKey(url);
    }

    void forgetAll() {
        listed.values().forEach(ids::remove);
        listed.clear();
    }

    void hang(long micros) {
        hungUntil = world.micros() + micros;
    }

    /** Its control API for a process with this event loop. */
    RouterPort port(World.Loop caller) {
        return new RouterPort() {
            @Override
            public CompletableFuture<String> add(ServerEndpoint server) {
                return call(caller, () -> {
                    if (server.url().startsWith("bad")) {
                        return CompletableFuture.failedFuture(new Refused("no such scheme"));
                    }
                    return CompletableFuture.completedFuture(queue(server.url()));
                });
            }

            @Override
            public CompletableFuture<Progress> progress(String id) {
                return call(caller, () -> CompletableFuture.completedFuture(progressOf(id)));
            }

            @Override
            public CompletableFuture<Boolean> remove(String id) {
                return call(caller, () -> {
                    boolean had = listed.containsValue(id);
                    world.after(world.between(100, 20_000), () -> {
                        if (listed.values().removeIf(id::equals)) {
                            world.note(() -> "the router removes " + id);
                            ids.remove(id);
                        }
                    });
                    return CompletableFuture.completedFuture(had);
                });
            }

            @Override
            public CompletableFuture<List<RegisteredServer>> list() {
                return call(
                        caller,
                        () -> CompletableFuture.completedFuture(listed.entrySet().stream()
                                .map(entry -> server(entry.getValue(), entry.getKey()))
                                .toList()));
            }

            @Override
            public CompletableFuture<ServerFacts> describe(ServerEndpoint server) {
                return call(caller, () -> {
                    SimServer there = servers.get(server.url());
                    return CompletableFuture.completedFuture(
                            there == null || !there.healthy
                                    ? ServerFacts.NONE
                                    : new ServerFacts(List.of(), there.version));
                });
            }
        };
    }

    private <T> CompletableFuture<T> call(World.Loop caller, Supplier<CompletableFuture<T>> handler) {
        return world.call(
                caller,
                () -> alive,
                () -> {
                    CompletableFuture<T> done = new CompletableFuture<>();
                    world.at(Math.max(hungUntil, world.micros()), () -> {
                        if (alive) {
                            CompletableFuture<T> unused = handler.get().whenComplete((value, failure) -> {
                                if (failure == null) {
                                    done.complete(value);
                                } else {
                                    done.completeExceptionally(failure);
                                }
                            });
                        }
                    });
                    return done;
                },
                PATIENCE,
                false);
    }

    private static RegisteredServer server(String id, String url) {
        return new RegisteredServer(id, url, "regular", null, true);
    }

    private String queue(String url) {
        String known = listed.get(url);
        if (known != null) {
            return known;
        }
        for (Map.Entry<String, String> job : ids.entrySet()) {
            if (job.getValue().equals(url)) {
                return job.getKey();
            }
        }
        String id = "w" + count++;
        world.note(() -> "the router queues " + url + " as " + id);
        ids.put(id, url);
        long end = world.micros() + STARTUP_TIMEOUT;
        world.after(world.between(20_000, 300_000), () -> tryToAdd(id, url, end));
        return id;
    }

    private void tryToAdd(String id, String url, long end) {
        if (!alive || !ids.containsKey(id)) {
            return;
        }
        SimServer server = servers.get(url);
        if (server != null && server.healthy) {
            listed.put(url, id);
            world.note(() -> "the router lists " + url + " as " + id);
        } else if (world.micros() > end) {
            ids.remove(id);
            failed.put(id, "not healthy in time");
        } else {
            world.after(1_000_000, () -> tryToAdd(id, url, end));
        }
    }

    private RouterPort.Progress progressOf(String id) {
        for (Map.Entry<String, String> entry : listed.entrySet()) {
            if (entry.getValue().equals(id)) {
                return new RouterPort.Progress.Listed(server(id, entry.getKey()));
            }
        }
        if (failed.containsKey(id)) {
            return new RouterPort.Progress.Failed(failed.get(id));
        }
        return ids.containsKey(id) ? new RouterPort.Progress.Pending("processing") : new RouterPort.Progress.Unknown();
    }
}
