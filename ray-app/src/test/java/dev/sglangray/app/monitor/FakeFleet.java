/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.EventKind;
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
public final class FakeFleet implements FleetSource {
    public static final Instant BEGIN = Instant.parse("2026-11-30T10:00:00Z");

    public Instant now = BEGIN;
    public int wanted;

    @Nullable
    public RuntimeException failure;

    public String routerState = "READY";
    public boolean routerAnswers = true;
    public final TreeSet<Integer> listed = new TreeSet<>();
    private final int perNode;
    private final FleetPlan plan;
    private final Map<Integer, EngineLoad> loads = new TreeMap<>();
    private final TreeMap<Integer, FakeWorker> workers = new TreeMap<>();

    /** One worker; its fields are what it says. */
    public static final class FakeWorker {
        public final String name;
        public boolean answers = true;
        public String state = "READY";
        public long process = 1000;
        public long probes;

        @Nullable
        public String forkServerSince;

        public String node = "id";

        @Nullable
        public String version;

        public List<String> conditions = List.of();
        public String type = "regular";
        public String pool = "";
        public List<String> devices = List.of();

        @Nullable
        public String failure;

        public int restarts;
        private List<Event> events = new ArrayList<>();

        FakeWorker(String name) {
            this.name = name;
        }

        /** Another process, which has no events of its predecessor. */
        public void replaced() {
            process++;
            events = new ArrayList<>();
        }
    }

    public final FakeWorker router = new FakeWorker("R:0");

    /** So many engines, all of which serve, each on a node of its own. */
    public FakeFleet(int engines) {
        this(engines, 1);
    }

    /** As above, with so many engines on each node. */
    public FakeFleet(int engines, int perNode) {
        this.perNode = perNode;
        plan = plan(engines, perNode);
        wanted = engines;
        for (int rank = 0; rank < engines; rank++) {
            workers.put(rank, new FakeWorker("E:" + rank));
            listed.add(rank);
        }
    }

    private static FleetPlan plan(int engines, int perNode) {
        List<NodeSnapshot> nodes = IntStream.range(0, (engines + perNode - 1) / perNode)
                .mapToObj(
                        i -> NodeSnapshot.of("id" + i, "10.0.0." + (i + 1), perNode, AcceleratorType.NV_GPU, "H100", i))
                .toList();
        Cluster cluster = Cluster.of(nodes.size(), List.of(), new ClusterSnapshot(nodes, "id0"));
        return FleetPlanner.plan(PlanRequest.builder(cluster)
                .server("E", "srt", 1, Map.of("enable_metrics", true))
                .router("R", null, Map.of("prometheus_port", 29000))
                .hardwareRanks(IntStream.range(0, engines).boxed().toList())
                .build());
    }

    public FakeWorker engine(int rank) {
        FakeWorker worker = workers.get(rank);
        if (worker == null) {
            throw new AssertionError("no engine " + rank);
        }
        return worker;
    }

    /** How often the router's list was put right. */
    public long repairs;
    /** What an engine says of its load. */
    public void load(int rank, EngineLoad load) {
        loads.put(rank, load);
    }

    /** The engines that there are. */
    public List<Integer> ranks() {
        return List.copyOf(workers.keySet());
    }

    /** An engine that went comes back. */
    public void add(int rank) {
        workers.put(rank, new FakeWorker("E:" + rank));
        listed.add(rank);
    }

    public void remove(int rank) {
        workers.remove(rank);
        listed.remove(rank);
    }

    public void happens(FakeWorker worker, EventKind kind, String text) {
        worker.events.add(new Event(worker.events.size(), now.toString(), worker.name, kind, text));
    }

    public void passes(int seconds) {
        now = now.plusSeconds(seconds);
    }

    /** How the fleet was planned. */
    public FleetPlan plan() {
        return plan;
    }

    @Override
    public boolean isOver() {
        return false;
    }

    @Override
    public FleetLook look(ToLongFunction<String> from, boolean load) {
        if (failure != null) {
            throw failure;
        }
        List<Engine> engines = new ArrayList<>();
        List<RegistryView.MemberView> members = new ArrayList<>();
        workers.forEach((rank, worker) -> {
            EnginePlan engine = plan.engines().get(rank);
            engines.add(new Engine(
                    engine,
                    answer(worker, status(worker, "server", rank, node(rank), url(rank)), from),
                    load ? loads.get(rank) : null));
            if (listed.contains(rank)) {
                members.add(new RegistryView.MemberView(
                        "k" + rank, worker.name, url(rank), false, "m", "regular", true, true, "id" + rank, ""));
            }
        });
        router.state = routerState;
        router.answers = routerAnswers;
        Worker found = answer(router, status(router, "router", 0, 0, "http://10.0.0.1:20000"), from);
        return new FleetLook(
                Map.of("", wanted),
                engines,
                found,
                routerAnswers ? new RegistryView(members, List.of(), null, null, null, repairs) : null);
    }

    private int node(int rank) {
        return rank / perNode;
    }

    private String url(int rank) {
        return "http://10.0.0." + (node(rank) + 1) + ":" + (30000 + rank % perNode);
    }

    private static Worker answer(FakeWorker worker, WorkerStatus status, ToLongFunction<String> from) {
        if (!worker.answers) {
            return new Worker(worker.name, null, List.of(), false);
        }
        long first = from.applyAsLong(worker.name);
        return new Worker(
                worker.name,
                status,
                worker.events.stream().filter(event -> event.number() >= first).toList(),
                false);
    }

    private static WorkerStatus status(FakeWorker worker, String kind, int rank, int node, String url) {
        boolean engine = kind.equals("server");
        return new WorkerStatus(
                new WorkerStatus.Identity(
                        kind, "E", rank, 1, worker.pool, engine ? worker.type : "", engine ? "m" : "", engine),
                worker.state,
                url,
                new WorkerStatus.ProcessPart(
                        worker.node + rank,
                        "10.0.0." + (node + 1),
                        worker.state.equals("READY") ? 1L : null,
                        worker.process,
                        worker.devices,
                        null,
                        null,
                        List.of()),
                new WorkerStatus.SupervisionPart(
                        worker.failure, null, worker.restarts, null, worker.probes, worker.forkServerSince),
                new WorkerStatus.ServicePart(worker.version, worker.conditions, Map.of()));
    }
}
