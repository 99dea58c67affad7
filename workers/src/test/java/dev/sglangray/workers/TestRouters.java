/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.registry.RouterPort;
import dev.sglangray.workers.registry.ServerFacts;
import dev.sglangray.workers.registry.WorkersPort;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** What a router's worker needs around it, without routers and workers. */
public final class TestRouters {
    private TestRouters() {}

    /** A router process that lists what it is asked to, unless it does not answer. */
    public static RouterPort port(ThreadLoop loop, BooleanSupplier answers) {
        return new RouterPort() {
            private final List<RegisteredServer> listed = new ArrayList<>();

            private <T> CompletableFuture<T> answer(T value) {
                return loop.here(CompletableFuture.completedFuture(value));
            }

            @Override
            public CompletableFuture<String> add(ServerEndpoint server) {
                if (!answers.getAsBoolean()) {
                    return loop.here(CompletableFuture.failedFuture(new WorkerFailure("HTTP 401")));
                }
                listed.add(new RegisteredServer(server.url(), server.url(), "regular", null, true));
                return answer(server.url());
            }

            @Override
            public CompletableFuture<Progress> progress(String id) {
                return answer(listed.stream()
                        .filter(server -> server.id().equals(id))
                        .map(server -> (Progress) new Progress.Listed(server))
                        .findFirst()
                        .orElse(new Progress.Unknown()));
            }

            @Override
            public CompletableFuture<Boolean> remove(String id) {
                return answer(listed.removeIf(server -> server.id().equals(id)));
            }

            @Override
            public CompletableFuture<List<RegisteredServer>> list() {
                return answer(List.copyOf(listed));
            }

            @Override
            public CompletableFuture<ServerFacts> describe(ServerEndpoint server) {
                return answer(ServerFacts.NONE);
            }
        };
    }

    /** Workers of which nothing is known. */
    public static WorkersPort noWorkers() {
        return new WorkersPort() {
            @Override
            public CompletableFuture<Boolean> askForReport(String actor) {
                return new CompletableFuture<>();
            }

            @Override
            public CompletableFuture<String> awaitDeath(String actor) {
                return new CompletableFuture<>();
            }

            @Override
            public CompletableFuture<Void> awaitDisconnect(String url) {
                return new CompletableFuture<>();
            }

            @Override
            public CompletableFuture<Boolean> isRefused(String url) {
                return new CompletableFuture<>();
            }
        };
    }

    /** A disk in memory. */
    public static final class Store<T> implements RecordStore<T> {
        public volatile @Nullable T kept;

        @Override
        public CompletableFuture<Void> save(T record) {
            kept = record;
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Optional<T> load() {
            return Optional.ofNullable(kept);
        }

        @Override
        public void delete() {
            kept = null;
        }
    }
}
