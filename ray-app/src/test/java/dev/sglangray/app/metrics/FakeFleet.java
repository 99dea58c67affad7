/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import dev.sglangray.app.metrics.FleetLook.Engine;
import dev.sglangray.app.metrics.FleetLook.Worker;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A fleet of engines of one accelerator with a router, whose workers say what a test wants; its clock stands still until moved. */
final class FakeFleet implements FleetSource {
    static final Instant BEGIN = Instant.parse("2026-11-30T10:00:00Z");

    Instant now = BEGIN;
    int wanted;

    @Nullable
    RuntimeException failure;

    String routerState = "READY";
    boolean routerAnswers = true;
    final TreeSet<Integer> listed = new TreeSet<>();
    private final FleetPlan plan;
    private final TreeMap<Integer, FakeWorker> workers = new TreeMap<>();

    /** One worker; its fields are what it says. */
    static final class FakeWorker {
        final String name;
        boolean answers = true;
        String state = "READY";
        long process = 1000;
        String node = "id";

        @Nullable
        String version;

        List<String> conditions = List.of();
        private List<Event> events = new ArrayList<>();

        FakeWorker(String name) {
            this.name = name;
        }

        /** Another process, which has no events of its predecessor. */
        void replaced() {
            process++;
            events = new ArrayList<>();
        }
    }

    final FakeWorker router = new FakeWorker("R:0");

    /** So many engines, all of which serve. */
    FakeFleet(int engines) {
        plan = plan(engines);
        wanted = engines;
        for (int rank = 0; rank < engines; rank++) {
            workers.put(rank, new FakeWorker("E:" + rank));
            listed.add(rank);
        }
    }

    private static FleetPlan plan(int engines) {
        List<NodeSnapshot> nodes = IntStream.range(0, engines)
                .mapToObj(i -> NodeSnapshot.of("id" + i, "10.0.0." + (i + 1), 1, AcceleratorType.NV_GPU, "H100", i))
                .toList();
        Cluster cluster = Cluster.of(engines, List.of(), new ClusterSnapshot(nodes, "id0"));
        return FleetPlanner.plan(PlanRequest.builder(cluster)
                .server("E", "srt", 1, Map.of("enable_metrics", true))
                .router("R", null, Map.of("prometheus_port", 29000))
                .hardwareRanks(IntStream.range(0, engines).boxed().toList())
                .build());
    }

    FakeWorker engine(int rank) {
        FakeWorker worker = workers.get(rank);
        if (worker == null) {
            throw new AssertionError("no engine " + rank);
        }
        return worker;
    }

    void remove(int rank) {
        workers.remove(rank);
        listed.remove(rank);
    }

    void happens(FakeWorker worker, EventKind kind, String text) {
        worker.events.add(new Event(worker.events.size(), now.toString(), worker.name, kind, text));
    }

    void passes(int seconds) {
        now = now.plusSeconds(seconds);
    }

    FleetMetrics.Facts facts() {
        return new FleetMetrics.Facts(
                "E",
                "10.0.0.1",
                plan.router().orElse(null),
                pool -> SupervisionPolicy.DEFAULT,
                SupervisionPolicy.DEFAULT);
    }

    @Override
    public boolean isOver() {
        return false;
    }

    @Override
    public FleetLook look(ToLongFunction<String> from) {
        if (failure != null) {
            throw failure;
        }
        List<Engine> engines = new ArrayList<>();
        List<RegistryView.MemberView> members = new ArrayList<>();
        workers.forEach((rank, worker) -> {
            EnginePlan engine = plan.engines().get(rank);
            engines.add(new Engine(engine, answer(worker, status(worker, "server", rank, url(rank)), from)));
            if (listed.contains(rank)) {
                members.add(new RegistryView.MemberView(
                        "k" + rank, worker.name, url(rank), false, "m", "regular", true, true, "id" + rank, ""));
            }
        });
        router.state = routerState;
        router.answers = routerAnswers;
        Worker found = answer(router, status(router, "router", 0, "http://10.0.0.1:20000"), from);
        return new FleetLook(
                Map.of("", wanted),
                engines,
                found,
                routerAnswers ? new RegistryView(members, List.of(), null, null, null) : null);
    }

    private static String url(int rank) {
        return "http://10.0.0." + (rank + 1) + ":30000";
    }

    private static Worker answer(FakeWorker worker, WorkerStatus status, ToLongFunction<String> from) {
        if (!worker.answers) {
            return new Worker(worker.name, null, List.of());
        }
        long first = from.applyAsLong(worker.name);
        return new Worker(
                worker.name,
                status,
                worker.events.stream().filter(event -> event.number() >= first).toList());
    }

    private static WorkerStatus status(FakeWorker worker, String kind, int rank, String url) {
        boolean engine = kind.equals("server");
        return new WorkerStatus(
                new WorkerStatus.Identity(kind, "E", rank, 1, "", engine ? "regular" : "", engine ? "m" : "", engine),
                worker.state,
                url,
                new WorkerStatus.ProcessPart(
                        worker.node + rank,
                        "10.0.0." + (rank + 1),
                        worker.state.equals("READY") ? 1L : null,
                        worker.process,
                        List.of(),
                        null,
                        null,
                        List.of()),
                new WorkerStatus.SupervisionPart(null, null, 0, null),
                new WorkerStatus.ServicePart(worker.version, worker.conditions, Map.of()));
    }
}
