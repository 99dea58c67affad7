/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import dev.sglangray.workers.loop.Lease;
import dev.sglangray.workers.loop.ManualLoop;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A registry with a router, workers and a disk that are none. */
final class RegistryFixture {
    static final Duration SECOND = Duration.ofSeconds(1);

    final ManualLoop loop = new ManualLoop();
    final List<String> events = new ArrayList<>();
    final List<String> asked = new ArrayList<>();
    final Set<String> noActors = new HashSet<>();
    final Map<String, CompletableFuture<String>> deaths = new HashMap<>();
    boolean questionsFail;

    @Nullable
    RegistryRecord kept;

    @Nullable
    CompletableFuture<Void> saving;
    /** What it costs to write, as it does for many members. */
    Duration saveTakes = Duration.ZERO;

    int saves;

    FakeRouter router = new FakeRouter();
    EngineRegistry registry = fresh(false);

    RegistryFixture() {
        registry.routerUp(router);
        pass();
    }

    /** A router process. Adding takes effect after 100 ms when the server is healthy, removing after 50 ms. */
    final class FakeRouter implements RouterPort {
        final Map<String, RegisteredServer> listed = new LinkedHashMap<>();
        final Map<String, ServerEndpoint> added = new LinkedHashMap<>();
        final Map<String, String> urls = new HashMap<>();
        final Set<String> refused = new HashSet<>();
        final Set<String> neverHealthy = new HashSet<>();
        final Set<String> failing = new HashSet<>();
        final Map<String, String> versions = new HashMap<>();
        final Map<String, List<String>> models = new HashMap<>();
        final Set<String> down = new HashSet<>();
        final List<String> calls = new ArrayList<>();
        boolean silent;

        private <T> CompletableFuture<T> answer(T value) {
            CompletableFuture<T> done = new CompletableFuture<>();
            if (!silent) {
                loop.schedule(Duration.ofMillis(1), () -> done.complete(value));
            } else {
                loop.schedule(
                        Duration.ofSeconds(5),
                        () -> done.completeExceptionally(new WorkerFailure("no answer in time")));
            }
            return done;
        }

        private <T> CompletableFuture<T> refuse(RuntimeException why) {
            CompletableFuture<T> done = new CompletableFuture<>();
            loop.schedule(Duration.ofMillis(1), () -> done.completeExceptionally(why));
            return done;
        }

        @Override
        public CompletableFuture<String> add(ServerEndpoint server) {
            calls.add("add " + server.url());
            if (refused.contains(server.url())) {
                return refuse(new Refused("The router refused " + server.url() + "."));
            }
            String id = "id of " + server.url();
            added.put(server.url(), server);
            urls.put(id, server.url());
            if (!neverHealthy.contains(server.url()) && !silent) {
                loop.schedule(Duration.ofMillis(100), () -> list(server.url(), true));
            }
            return answer(id);
        }

        void list(String url, boolean healthy) {
            listed.put(url, new RegisteredServer("id of " + url, url, "regular", null, healthy));
        }

        @Override
        public CompletableFuture<Progress> progress(String id) {
            String url = urls.getOrDefault(id, "");
            RegisteredServer server = listed.get(url);
            if (server != null) {
                return answer(new Progress.Listed(server));
            }
            return answer(
                    failing.contains(url) ? new Progress.Failed("it speaks no HTTP") : new Progress.Pending("busy"));
        }

        @Override
        public CompletableFuture<Boolean> remove(String id) {
            String url = urls.getOrDefault(id, id.replace("id of ", ""));
            calls.add("remove " + url);
            if (!silent) {
                loop.schedule(Duration.ofMillis(50), () -> listed.remove(url));
            }
            return answer(listed.containsKey(url));
        }

        @Override
        public CompletableFuture<List<RegisteredServer>> list() {
            return answer(List.copyOf(listed.values()));
        }

        @Override
        public CompletableFuture<ServerFacts> describe(ServerEndpoint server) {
            calls.add("version " + server.url());
            return down.contains(server.url())
                    ? refuse(new WorkerFailure("no answer to GET " + server.url() + "/v1/models"))
                    : answer(new ServerFacts(models.getOrDefault(server.url(), List.of()), versions.get(server.url())));
        }

        Set<String> lists() {
            return new TreeSet<>(listed.keySet());
        }
    }

    private final class Workers implements WorkersPort {
        @Override
        public CompletableFuture<Boolean> askForReport(String actor) {
            asked.add(actor);
            if (questionsFail) {
                throw new IllegalStateException("the cluster's state is not known at the moment");
            }
            return CompletableFuture.completedFuture(!noActors.contains(actor));
        }

        @Override
        public CompletableFuture<String> awaitDeath(String actor) {
            return deaths.compute(actor, (name, before) -> new CompletableFuture<>());
        }

        @Override
        public CompletableFuture<Void> awaitDisconnect(String url) {
            return new CompletableFuture<>();
        }

        @Override
        public CompletableFuture<Boolean> isRefused(String url) {
            return new CompletableFuture<>();
        }
    }

    private final class Store implements RecordStore<RegistryRecord> {
        @Override
        public CompletableFuture<Void> save(RegistryRecord record) {
            kept = record;
            saves++;
            loop.take(saveTakes);
            return saving != null ? saving : CompletableFuture.completedFuture(null);
        }

        @Override
        public Optional<RegistryRecord> load() {
            return Optional.ofNullable(kept);
        }

        @Override
        public void delete() {
            kept = null;
        }
    }

    private EngineRegistry fresh(boolean inherits) {
        return new EngineRegistry(loop, (kind, text) -> events.add(text), new Workers(), new Store(), inherits);
    }

    /** The worker's process is replaced, and with it the router. */
    void replaceWorker() {
        registry.routerDown();
        asked.clear();
        registry = fresh(true);
        replaceRouter();
    }

    /** The router ends and another one starts. */
    void replaceRouter() {
        registry.routerDown();
        router = new FakeRouter();
        registry.routerUp(router);
        pass();
    }

    void pass() {
        loop.pass(SECOND);
    }

    static String url(int number) {
        return "http://engine:" + number;
    }

    static ServerEndpoint engine(int number, long epoch) {
        return new ServerEndpoint(
                url(number), "regular", null, null, "engines:" + number, "key" + number, epoch, null, true);
    }

    ReportReply report(int number, long epoch, boolean serves, String weights) {
        return registry.report(new EngineReport(
                "key" + number,
                "engines:" + number,
                epoch,
                serves,
                serves ? "" : "drained",
                engine(number, 0),
                weights));
    }

    /** An engine that is registered, and gets requests. */
    void serve(int number) {
        String unused = registry.register(engine(number, 1));
        report(number, 2, true, FleetWeights.INITIAL_ID);
        pass();
    }

    /** The clock is set back by so much, which the disk does not know. */
    void setClockBack(Duration by) {
        RegistryRecord now = onDisk();
        RegistryRecord.KeptChange change = Objects.requireNonNull(now.change());
        Lease lease = new Lease(
                change.lease().untilMillis() + by.toMillis(), change.lease().millis());
        kept = new RegistryRecord(
                now.members(),
                now.unregistered(),
                now.weights(),
                new RegistryRecord.KeptChange(change.kind(), change.token(), lease));
    }

    RegistryRecord onDisk() {
        return Objects.requireNonNull(kept);
    }

    EngineRegistry.Registration registration(String key) {
        return loop.value(registry.registration(key));
    }

    RegistryView.MemberView member(String key) {
        return registry.view().members().stream()
                .filter(member -> member.key().equals(key))
                .findFirst()
                .orElseThrow();
    }
}
