/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.ProcessRow;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A fleet of two engines, one on each node, under {@code up} in the foreground and a steady load. Its processes are found in
 * the process table, which costs no Ray driver.
 */
final class FaultScene implements AutoCloseable {

    /** A second one: the first engine shares its node with the router. */
    private static final int SECOND = 1;

    private static final double REQUESTS_PER_SECOND = 20;

    /** Real engines on a busy machine. */
    static final Duration LOADING = Duration.ofMinutes(9);

    final TestCluster cluster;
    final Cli cli;
    final Path model;
    final InsideProcess up;
    final String url;
    final List<String> engines = new ArrayList<>();
    final SteadyLoad load;
    private boolean ended;

    private FaultScene(TestCluster cluster, Path model, double requestsPerSecond, String... more) {
        this.cluster = cluster;
        this.model = model;
        this.cli = new Cli(cluster);
        this.up = cli.up(model, more);
        up.awaitOutput("\"api_url\"", LOADING);
        JsonNode report = Cli.json(up.stdout());
        this.url = report.path("api_url").asText();
        for (JsonNode worker : report.path("workers")) {
            if (worker.path("kind").asText().equals("server")) {
                engines.add(worker.path("url").asText());
            }
        }
        this.load = new SteadyLoad(cluster, url, requestsPerSecond);
    }

    /** Starts a fleet whose engines behave so, and a load. */
    static FaultScene start(TestCluster cluster, String behaviour, String... more) {
        return serving(new FaultScene(cluster, StandIn.model(cluster, behaviour), REQUESTS_PER_SECOND, more));
    }

    /** The same with real engines, which are slower. */
    static FaultScene startReal(TestCluster cluster, Path model, String... more) {
        return serving(new FaultScene(cluster, model, 4, more));
    }

    private static FaultScene serving(FaultScene scene) {
        try {
            double begin = SteadyLoad.now();
            scene.await("both engines under load", () -> scene.serves(begin));
            return scene;
        } catch (RuntimeException | Error e) {
            scene.load.close();
            scene.up.close();
            throw e;
        }
    }

    /** The URL of the engine that faults are for. */
    String engineUrl() {
        return engines.get(SECOND);
    }

    ClusterNode engineNode() {
        return cluster.nodes().get(SECOND);
    }

    /** Main process of the second engine. */
    ProcessRow engine() {
        return engine(cluster, engineNode());
    }

    /** Main process of the engine on a node. */
    static ProcessRow engine(TestCluster cluster, ClusterNode node) {
        return only(engines(cluster, node), row -> true, "engine");
    }

    /** Main processes of the engines on a node. */
    static List<ProcessRow> engines(TestCluster cluster, ClusterNode node) {
        List<ProcessRow> all = cluster.onNode(node);
        return all.stream()
                .filter(row -> isMain(all, row) && hasChildren(all, row))
                .toList();
    }

    ProcessRow engineChild() {
        return ownChildren(engine()).get(0);
    }

    /** The one process of the second engine whose title SGLang begins so, such as {@code sglang::scheduler_TP1}. */
    ProcessRow engineRank(String title) {
        return only(ownChildren(engine()), row -> row.command().contains(title), title);
    }

    /** The process that {@link #engine} was forked from, or one in its place. */
    ProcessRow forkServer() {
        return only(cluster.onNode(engineNode()), FaultScene::isForkServer, "fork server");
    }

    /** Of the second engine, what its other processes are forked from. */
    ProcessRow pristine() {
        return only(children(cluster.processes(), engine()), FaultScene::isPristine, "pristine process");
    }

    /** A process's parent. */
    ProcessRow above(ProcessRow row) {
        return parent(cluster.processes(), row);
    }

    /** Whether another first process of an engine is there, healthy or not. A dying engine's others may be a supervisor's children. */
    boolean hasEngineOtherThan(ProcessRow old) {
        return engines(cluster, engineNode()).stream()
                .anyMatch(row -> row.pid() != old.pid() && row.command().contains("-m sglang_ray.serve"));
    }

    /** Returns when each node has one fork server that has imported everything, and no socket but its own. */
    void awaitForkServers() {
        await(
                "one fork server on each node, that is ready",
                LOADING,
                () -> cluster.nodes().stream().allMatch(this::hasForkServer));
    }

    private boolean hasForkServer(ClusterNode node) {
        List<ProcessRow> found =
                cluster.onNode(node).stream().filter(FaultScene::isForkServer).toList();
        return found.size() == 1
                && cluster.forkSockets(node).size() == 1
                && cluster.logs(node, "sglang-forks-")
                        .contains(
                                "ready to fork engines (process " + found.get(0).innerPid() + ",");
    }

    ProcessRow router() {
        List<ProcessRow> all = cluster.onNode(cluster.head());
        return only(all, row -> isMain(all, row) && !hasChildren(all, row), "router");
    }

    ProcessRow engineWorker() {
        return worker(cluster, engine());
    }

    ProcessRow routerWorker() {
        return worker(cluster, router());
    }

    ProcessRow engineRaylet() {
        return only(cluster.onNode(engineNode()), row -> row.command().contains("/raylet/raylet "), "raylet");
    }

    /** The JVM of the worker that a server belongs to. */
    static ProcessRow worker(TestCluster cluster, ProcessRow server) {
        List<ProcessRow> all = cluster.processes();
        ProcessRow at = server;
        while (!at.command().contains("io.ray.runtime")) {
            ProcessRow above = parent(all, at);
            assertThat(above)
                    .as("what is above %s, on the way to the worker of %s", at, server)
                    .isNotEqualTo(at);
            at = above;
        }
        return at;
    }

    private static boolean isServer(ProcessRow row) {
        return (row.command().contains("-m sglang_ray.serve") || row.command().contains("sglang::scheduler"))
                && !row.isZombie();
    }

    /** Where Python has setproctitle, the router names itself. */
    private static boolean isRouter(ProcessRow row) {
        return row.command().startsWith("sglang::router");
    }

    private static boolean isMain(List<ProcessRow> all, ProcessRow row) {
        return isSupervisor(parent(all, row)) && !isSupervisor(row) && !isForkServer(row) && !row.isZombie();
    }

    private static boolean isForkServer(ProcessRow row) {
        return row.command().contains("-m sglang_ray.fork_server") && !row.isZombie();
    }

    private static boolean isPristine(ProcessRow row) {
        return row.command().contains("sglang_ray.spawning");
    }

    /** What an engine has started; of one that was forked, a process of its own has forked that for it. */
    private List<ProcessRow> ownChildren(ProcessRow engine) {
        List<ProcessRow> all = cluster.processes();
        return children(all, engine).stream()
                .flatMap(row -> isPristine(row) ? children(all, row).stream() : Stream.of(row))
                .toList();
    }

    /** An engine has processes below it, the router has none. */
    private static boolean hasChildren(List<ProcessRow> all, ProcessRow row) {
        return all.stream().anyMatch(child -> child.parent() == row.pid());
    }

    private static boolean isSupervisor(ProcessRow row) {
        return row.command().contains("supervisor.py");
    }

    private static ProcessRow parent(List<ProcessRow> all, ProcessRow row) {
        return all.stream()
                .filter(candidate -> candidate.pid() == row.parent())
                .findFirst()
                .orElse(row);
    }

    private static List<ProcessRow> children(List<ProcessRow> all, ProcessRow row) {
        return all.stream()
                .filter(child -> child.parent() == row.pid() && !child.isZombie())
                .toList();
    }

    private static ProcessRow only(List<ProcessRow> rows, Predicate<ProcessRow> wanted, String what) {
        List<ProcessRow> found = rows.stream().filter(wanted).toList();
        assertThat(found).as(what).hasSize(1);
        return found.get(0);
    }

    void signal(ProcessRow row, String name) {
        cluster.signal(row, name);
    }

    /** A file in the model's folder that tells the second engine something. */
    Path engineFile(String prefix) {
        return model.resolve(prefix + "-" + engineUrl().substring(engineUrl().lastIndexOf(':') + 1));
    }

    /** How engines that start from now on behave. */
    void behaviour(String json) {
        write(model.resolve("standin.json"), json);
    }

    static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many processes of each kind there are on each node: what a healed fleet has as many of as before. */
    Map<String, Integer> shape() {
        Map<String, Integer> shape = new TreeMap<>();
        for (ClusterNode node : cluster.nodes()) {
            List<ProcessRow> all = cluster.onNode(node);
            for (ProcessRow row : all) {
                kind(all, row).ifPresent(kind -> shape.merge(kind + " on " + node.name(), 1, Integer::sum));
            }
        }
        return shape;
    }

    /** Returns when there are as many processes of each kind as before; the failure has the processes that there are instead. */
    void awaitShape(Map<String, Integer> before) {
        try {
            await("as many processes as before", () -> shape().equals(before));
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("processes before: " + before + "\nprocesses now: " + shape() + "\n" + table(), e);
        }
    }

    private String table() {
        StringBuilder table = new StringBuilder();
        for (ClusterNode node : cluster.nodes()) {
            List<ProcessRow> all = cluster.onNode(node);
            all.forEach(row -> kind(all, row)
                    .ifPresent(kind -> table.append(node.name())
                            .append(", ")
                            .append(kind)
                            .append(": ")
                            .append(row)
                            .append('\n')));
        }
        return table.toString();
    }

    private static Optional<String> kind(List<ProcessRow> all, ProcessRow row) {
        if (row.isZombie()) {
            return Optional.of("zombies");
        }
        if (isServer(row)) {
            return Optional.of("engines' processes");
        }
        if (isPristine(row)) {
            return Optional.of("pristine processes");
        }
        if (isRouter(row)) {
            return Optional.of("routers");
        }
        if (isSupervisor(row)) {
            return Optional.of("supervisors");
        }
        // Ray keeps idle ones besides for a while.
        boolean owns = all.stream().anyMatch(child -> child.parent() == row.pid() && isSupervisor(child));
        return owns ? Optional.of("workers") : Optional.empty();
    }

    /** Whether both engines are listed, and answered requests that started after a time; real ones do not say who they are. */
    boolean serves(double since) {
        load.refresh();
        List<String> answered = load.between(since, Double.MAX_VALUE).stream()
                .filter(request -> request.ok() && request.start() > since)
                .map(SteadyLoad.Sent::who)
                .toList();
        boolean byEach = answered.stream().distinct().count() >= engines.size()
                || (answered.contains(SteadyLoad.NOBODY) && answered.size() > 2 * engines.size());
        return byEach && load.last().healthy().containsAll(engines);
    }

    void await(String what, Callable<Boolean> condition) {
        await(what, Cli.DEADLINE, condition);
    }

    void await(String what, Duration longest, Callable<Boolean> condition) {
        Awaitility.await(what)
                .atMost(longest)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(50))
                .failFast("up ended: " + what, () -> !up.isAlive())
                .until(condition);
    }

    JsonNode status() {
        return Cli.json(cli.run("status", "--json").orFail().stdout());
    }

    /** The fleet was ended by what was done to it. */
    void ended() {
        ended = true;
        load.close();
    }

    @Override
    public void close() {
        load.close();
        try (up) {
            if (!ended) {
                up.signalGroup("INT");
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
                // Of an orderly end; and what killed fleets before it left was deleted by its workers.
                assertThat(cluster.memoryFiles()).isEmpty();
            }
        }
        cluster.assertNothingLeft();
    }
}
