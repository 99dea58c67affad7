/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.options.PlacementGroupCreationOptions;
import io.ray.api.placementgroup.PlacementGroup;
import io.ray.api.placementgroup.PlacementStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Ray driver that puts groups through their paces on a cluster with 4 declared accelerators: run by hand, or by a test
 * that starts a cluster. Its engines are stand-ins unless a model is given. Ends with code 0 when all was as it should be.
 *
 * <p>Arguments: {@code happy [model]}, {@code dying}, {@code abort}, {@code killed}, {@code halt} (dies without any
 * clean-up, code 3).
 */
public final class GroupsDriver {
    private static final Logger LOG = LoggerFactory.getLogger(GroupsDriver.class);

    private final PlacementGroup reservation;
    private final String node;

    private GroupsDriver(PlacementGroup reservation, String node) {
        this.reservation = reservation;
        this.node = node;
    }

    public static void main(String[] arguments) {
        Ray.init();
        long begin = System.nanoTime();
        String node = Ray.getRuntimeContext().getAllNodeInfo().get(0).nodeAddress;
        List<Map<String, Double>> bundles =
                List.of(Map.of("CPU", 0.5, "GPU", 2.0), Map.of("CPU", 0.5, "GPU", 2.0), Map.of("CPU", 0.5));
        PlacementGroup reservation = PlacementGroups.createPlacementGroup(new PlacementGroupCreationOptions.Builder()
                .setName("driver-" + arguments[0])
                .setBundles(bundles)
                .setStrategy(PlacementStrategy.PACK)
                .build());
        check(reservation.wait(30), "the placement group is ready");
        GroupsDriver driver = new GroupsDriver(reservation, node);
        switch (arguments[0]) {
            case "happy" -> driver.happy(arguments.length > 1 ? arguments[1] : "");
            case "dying" -> driver.dying();
            case "abort" -> driver.abort();
            case "halt" -> driver.halt();
            case "killed" -> driver.killed();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        LOG.info("DONE {} in {} s", arguments[0], (System.nanoTime() - begin) / 1e9);
        Ray.shutdown();
    }

    private static void check(boolean condition, String what) {
        if (!condition) {
            throw new IllegalStateException("not so: " + what);
        }
        LOG.info("OK {}", what);
    }

    private ServerGroup servers(String name, int count, Map<String, Object> arguments) {
        List<Launch<ServerSpec>> launches = new ArrayList<>();
        for (int rank = 0; rank < count; rank++) {
            Map<String, Object> own = new LinkedHashMap<>(arguments);
            if (rank == 1 && arguments.containsKey("of_rank_1")) {
                own.put("stand_in", arguments.get("of_rank_1"));
            }
            own.remove("of_rank_1");
            ServerSpec spec = new ServerSpec(
                    name, rank, count, "srt", own, Map.of(), null, "CUDA_VISIBLE_DEVICES", List.of(), true, 900, null);
            launches.add(new Launch<>(spec, rank, node, Map.of("CPU", 0.5, "GPU", 2.0)));
        }
        return ServerGroup.create(name, launches, reservation, GroupOptions.defaults());
    }

    private void happy(String model) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        int count = 2;
        if (!model.isEmpty()) {
            arguments.put("model_path", model);
            count = 1;
        }
        RouterSpec spec = new RouterSpec("routers", Map.of("policy", "round_robin"), Map.of(), null, 120, null);
        try (ServerGroup servers = servers("engines", count, arguments);
                RouterGroup router = RouterGroup.create(
                        new Launch<>(spec, 2, node, Map.of("CPU", 0.5)), reservation, GroupOptions.defaults())) {
            WorkerGroupFuture<String> urls = servers.initServer();
            String routerUrl = router.initRouter().awaitSingle();
            LOG.info("router {}", routerUrl);
            LOG.info("meanwhile {}", servers.status().await());
            LOG.info("engines {}", urls.await());
            check(servers.getServerUrl().await().equals(urls.await()), "the URLs are those of the start");
            List<WorkerGroupFuture<RegisteredServer>> registrations = new ArrayList<>();
            servers.endpoints().await().forEach(endpoint -> registrations.add(router.registerServer(endpoint)));
            registrations.forEach(r -> check(r.awaitSingle().healthy(), "registered " + r.awaitSingle()));
            check(router.servers().awaitSingle().size() == count, "the router lists all");
            check(
                    !servers.isHealthy().await().contains(false)
                            && router.isHealthy().awaitSingle(),
                    "all healthy");
            LOG.info("status {} {}", servers.status().await(), router.status().await());
            LOG.info("devices {}", servers.status().map(WorkerStatus::devices).await());
            check(servers.on(0).getServerUrl().await().size() == 1, "a view has its ranks only");
            try (ServerGroup found = ServerGroup.attach("engines");
                    RouterGroup foundRouter = RouterGroup.attach("routers")) {
                check(found.getServerUrl().await().equals(urls.await()), "attached by name");
                check(foundRouter.getRouterUrl().awaitSingle().equals(routerUrl), "router attached by name");
            }
            check(!servers.isHealthy().await().contains(false), "closing what was attached ended nothing");
            try {
                ServerGroup.attach("nobody");
                check(false, "attaching to nobody fails");
            } catch (WorkerException e) {
                LOG.info("OK {}", e.getMessage());
            }
            check(router.unregisterServer(urls.await().get(0)).awaitSingle(), "unregistered");
            LOG.info("log {}", router.logTail(2).awaitSingle());
            check(!servers.shutdown().await().contains(false), "shut down");
        }
    }

    private void dying() {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("of_rank_1", Map.of("exit_code", 4, "last_words", "RuntimeError: no kernel image"));
        try (ServerGroup servers = servers("engines", 2, arguments)) {
            servers.initServer().await();
            check(false, "an engine that dies fails the start");
        } catch (WorkerException e) {
            LOG.info("message: {}", e.getMessage());
            check(e.rank() == 1 && String.valueOf(e.getMessage()).contains("no kernel image"), "rank and last words");
            check(String.valueOf(e.getMessage()).contains("/logs/sglang-engine-engines-1-"), "the log's place");
        }
    }

    private void abort() {
        Map<String, Object> plan = new LinkedHashMap<>();
        plan.put("healthy_after", 250);
        try (ServerGroup servers = servers("engines", 2, Map.of("stand_in", plan))) {
            WorkerGroupFuture<String> start = servers.initServer();
            try {
                start.await(Duration.ofSeconds(6));
                check(false, "a start that takes longer times out");
            } catch (WorkerTimeoutException e) {
                LOG.info("OK {}", e.getMessage());
            }
            long begin = System.nanoTime();
            servers.shutdown().await(Duration.ofSeconds(30));
            check(System.nanoTime() - begin < 8e9, "the shutdown aborts the start");
            try {
                start.await();
                check(false, "an aborted start fails");
            } catch (WorkerException e) {
                check(String.valueOf(e.getMessage()).contains("aborted by a shutdown"), "aborted: " + e.getMessage());
            }
        }
    }

    private void halt() {
        ServerGroup servers = servers("engines", 2, Map.of("stand_in", Map.of("family", true)));
        LOG.info("engines {}", servers.initServer().await());
        Runtime.getRuntime().halt(3);
    }

    private void killed() {
        try (ServerGroup servers = servers("engines", 2, Map.of("stand_in", Map.of("family", true)))) {
            servers.initServer().await();
            List<WorkerStatus> before = servers.status().await();
            kill(before.get(0).pid());
            check(!servers.on(0).isHealthy().awaitSingle(), "a killed engine is not healthy");
            check(servers.on(1).isHealthy().awaitSingle(), "the other one is");
            WorkerStatus after = servers.on(0).status().awaitSingle();
            for (int i = 0; i < 1000 && !after.state().equals("FAILED"); i++) {
                after = servers.on(0).status().awaitSingle();
            }
            check(
                    after.state().equals("FAILED")
                            && String.valueOf(after.failure()).contains("SIGKILL"),
                    "" + after);
            kill(before.get(1).workerPid());
            try {
                servers.on(1).status().await(Duration.ofSeconds(20));
                check(false, "a worker without JVM does not answer");
            } catch (WorkerTimeoutException e) {
                throw e;
            } catch (WorkerException e) {
                LOG.info("OK {}", e.getMessage());
            }
            Long orphan = before.get(1).pid();
            if (orphan != null) {
                ProcessHandle.of(orphan)
                        .ifPresent(handle ->
                                handle.onExit().orTimeout(10, TimeUnit.SECONDS).join());
            }
            check(orphan != null && ProcessHandle.of(orphan).isEmpty(), "its engine is gone");
        }
    }

    private static void kill(@Nullable Long pid) {
        ProcessHandle.of(Objects.requireNonNull(pid)).ifPresent(ProcessHandle::destroyForcibly);
    }
}
