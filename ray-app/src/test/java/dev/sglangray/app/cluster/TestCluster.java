/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.sglangray.bridge.NodeDirectories;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * A real Ray cluster of one or more nodes, in namespaces of its own.
 *
 * <p>The nodes have the addresses 10.9.0.1, 10.9.0.2 and so on, the host names node-a, node-b and so on, a
 * {@code /tmp} each, and no way to any other network. All else of the file system is the machine's. Logs lie under
 * {@code ray-app/target/clusters}. Methods may be called from several threads.
 */
public final class TestCluster implements AutoCloseable {

    private static final Duration START_DEADLINE = Duration.ofSeconds(90);
    private static final String TOKEN = "test-cluster-token-0123456789abcdef";

    private final ClusterSpec spec;
    private final PythonEnvironment python;
    private final Path logs;
    private final Namespaces namespaces;
    private final @Nullable ClusterProbe probe;
    private final AtomicInteger commands = new AtomicInteger();
    private final List<InsideProcess> started = new ArrayList<>();
    private volatile List<ProcessRow> baseline = List.of();
    private volatile Set<String> sharedMemory = Set.of();

    private TestCluster(ClusterSpec spec) {
        this.spec = spec;
        this.python = PythonEnvironment.withRay(spec.rayVersion());
        this.logs = newFolder(spec);
        this.namespaces = Namespaces.create(python, spec.nodes().size(), spec.addresses(), logs);
        this.probe = spec.services() == Services.NONE ? null : startProbe();
    }

    private ClusterProbe startProbe() {
        List<String> command = List.of(
                python.python().toString(),
                Namespaces.resource("cluster_probe.py").toString(),
                address());
        try {
            return new ClusterProbe(builder(head(), command, Map.of())
                    .redirectError(logs.resolve("probe.log").toFile())
                    .start());
        } catch (IOException e) {
            namespaces.close();
            throw new UncheckedIOException(e);
        }
    }

    /** Starts a cluster and waits until Ray knows all its nodes.
     *
     * @throws AssertionError if it can't be started; the message has what Ray said
     */
    public static TestCluster start(ClusterSpec spec) {
        TestCluster cluster = new TestCluster(spec);
        try {
            if (spec.services() != Services.NONE) {
                cluster.startRay();
            }
            return cluster;
        } catch (RuntimeException | Error e) {
            cluster.close();
            throw e;
        }
    }

    /** Starts a cluster without dashboard of the given nodes. */
    public static TestCluster start(String rayVersion, NodeSpec... nodes) {
        return start(new ClusterSpec(rayVersion, Arrays.asList(nodes), Services.RAY));
    }

    private void startRay() {
        startNode(head());
        namespaces.nodes().stream().skip(1).parallel().forEach(this::startNode);
        Awaitility.await("all nodes of the cluster")
                .atMost(START_DEADLINE)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> aliveNodes() == spec.nodes().size());
        awaitDashboard();
        takeAsStarted();
    }

    /** One {@code ray start}, tried a second time because under load it may give up waiting for its own processes. */
    private void startNode(ClusterNode node) {
        InsideProcess first = launch(node);
        if (!awaitNode(node, first)) {
            onNode(node).forEach(row -> InsideProcess.kill("KILL", Long.toString(row.pid())));
            InsideProcess second = launch(node);
            if (!awaitNode(node, second)) {
                throw new AssertionError("ray start failed twice on " + node.name() + ":\n" + first.stdout()
                        + first.stderr() + "\n--- second\n" + second.stdout() + second.stderr());
            }
        }
    }

    private InsideProcess launch(ClusterNode node) {
        List<String> command = RayStart.command(python, spec, node, address());
        return spawn(node, command, spec.nodes().get(node.index()).environment());
    }

    /** True when the head's GCS listens, or another node's raylet runs; false when {@code ray start} ended before. */
    private boolean awaitNode(ClusterNode node, InsideProcess rayStart) {
        Awaitility.await("ray start on " + node.name())
                .atMost(START_DEADLINE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> !rayStart.isAlive() || isUp(node));
        return rayStart.isAlive();
    }

    private boolean isUp(ClusterNode node) {
        return node.index() == 0
                ? node.listeningPorts().contains(RayStart.GCS_PORT)
                : onNode(node).stream().anyMatch(RayProcesses::isRaylet);
    }

    private long aliveNodes() {
        return StreamSupport.stream(nodeTable().spliterator(), false)
                .filter(row -> row.path("alive").asBoolean())
                .count();
    }

    private void awaitDashboard() {
        if (spec.services() == Services.RAY_AND_DASHBOARD) {
            Awaitility.await("the dashboard")
                    .atMost(START_DEADLINE)
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> head().listeningPorts().contains(RayStart.DASHBOARD_PORT));
        }
    }

    /** Ends what is left of Ray on a node, not the head, and starts it again. */
    public void startAgain(ClusterNode node) {
        endRay(node);
        Set<String> before = incarnations(node, row -> true);
        startNode(node);
        Awaitility.await("the node in Ray's table")
                .atMost(START_DEADLINE)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> {
                    Set<String> alive =
                            incarnations(node, row -> row.path("alive").asBoolean());
                    return alive.size() == 1 && !before.containsAll(alive);
                });
        List<ProcessRow> fresh = new ArrayList<>(baseline);
        onNode(node).stream().filter(RayProcesses::isRays).forEach(fresh::add);
        baseline = fresh;
    }

    /** Ends Ray on a node, not the head, for good or until {@link #startAgain}, and waits until Ray's table says so. */
    public void stop(ClusterNode node) {
        endRay(node);
        Awaitility.await("the end of the node in Ray's table")
                .atMost(START_DEADLINE)
                .pollInterval(Duration.ofMillis(100))
                .until(() ->
                        incarnations(node, row -> row.path("alive").asBoolean()).isEmpty());
    }

    private void endRay(ClusterNode node) {
        Set<Long> old = onNode(node).stream()
                .filter(row -> baseline.stream().anyMatch(known -> known.pid() == row.pid()))
                .peek(this::kill)
                .map(ProcessRow::pid)
                .collect(Collectors.toSet());
        // Else the raylet that is just dying counts as the new one.
        Awaitility.await("the end of the node's old processes")
                .atMost(START_DEADLINE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> onNode(node).stream().noneMatch(row -> old.contains(row.pid())));
        baseline = baseline.stream()
                .filter(row -> !row.network().equals(node.network()))
                .toList();
    }

    /** The ids that Ray has or had for a node: one for each time that it joined. */
    private Set<String> incarnations(ClusterNode node, Predicate<JsonNode> wanted) {
        return StreamSupport.stream(nodeTable().spliterator(), false)
                .filter(row -> row.path("ip").asText().equals(spec.address(node)))
                .filter(wanted)
                .map(row -> row.path("id").asText())
                .collect(Collectors.toSet());
    }

    /** Cuts a node off from all others, or joins it again. */
    public void link(ClusterNode node, boolean joined) {
        namespaces.link(node, joined);
    }

    public ClusterSpec spec() {
        return spec;
    }

    /** The environment that the cluster's Ray runs in. */
    public PythonEnvironment python() {
        return python;
    }

    public List<ClusterNode> nodes() {
        return namespaces.nodes();
    }

    public ClusterNode head() {
        return nodes().get(0);
    }

    /** The address for {@code ray.address}. */
    public String address() {
        return spec.address(head()) + ":" + RayStart.GCS_PORT;
    }

    /** The address for {@code ray job submit}; nothing is there in a cluster without dashboard. */
    public String dashboardUrl() {
        return "http://" + spec.address(head()) + ":" + RayStart.DASHBOARD_PORT;
    }

    /** The folder, on this machine, with the output of every command and, after {@link #saveLogs}, Ray's logs. */
    public Path logs() {
        return logs;
    }

    /** Runs a command on a node and waits for its end. */
    public ExitResult exec(ClusterNode node, Duration deadline, String... command) {
        try (InsideProcess process = spawn(node, List.of(command), Map.of())) {
            return process.await(deadline);
        }
    }

    /**
     * Starts a command on a node.
     *
     * <p>It gets a small, fixed environment: the cluster's Python and this JVM's Java first in PATH, no proxy, no Ray
     * variable; and signals as a shell gives them, even where this JVM ignores some.
     *
     * @param environment variables to add
     */
    public InsideProcess spawn(ClusterNode node, List<String> command, Map<String, String> environment) {
        String name = "%03d-%s".formatted(commands.incrementAndGet(), label(command));
        Path out = logs.resolve(name + ".out");
        Path err = logs.resolve(name + ".err");
        List<String> shell =
                new ArrayList<>(List.of("sh", "-c", "cd \"$0\" && exec setsid env --default-signal \"$@\""));
        shell.add(logs.toString());
        shell.addAll(command);
        try {
            Process process = builder(node, shell, environment)
                    .redirectInput(new File("/dev/null"))
                    // Appending, as a log of a service is opened: programs may open their own output once more.
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile()))
                    .redirectError(ProcessBuilder.Redirect.appendTo(err.toFile()))
                    .start();
            InsideProcess inside = new InsideProcess(command, process, out, err);
            synchronized (started) {
                started.add(inside);
            }
            return inside;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ProcessBuilder builder(ClusterNode node, List<String> command, Map<String, String> environment) {
        List<String> words = namespaces.enter(node);
        words.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(words);
        Map<String, String> variables = builder.environment();
        String home = variables.getOrDefault("HOME", "/");
        variables.clear();
        variables.putAll(baseEnvironment(home));
        variables.putAll(environment);
        return builder;
    }

    private Map<String, String> baseEnvironment(String home) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("PATH", path());
        variables.put("HOME", home);
        variables.put("LANG", "C.UTF-8");
        variables.put("RAY_USAGE_STATS_ENABLED", "0");
        // Token authentication is the default from Ray 2.61 on. Without the variables a token in the home folder would
        // count, and one
        // would be left there; older versions do not know them.
        variables.put("RAY_AUTH_MODE", "token");
        variables.put("RAY_AUTH_TOKEN", TOKEN);
        return variables;
    }

    private static String label(List<String> command) {
        String words = command.stream()
                .filter(word -> !word.startsWith("-"))
                .map(word -> word.substring(word.lastIndexOf('/') + 1))
                .limit(3)
                .reduce((left, right) -> left + "-" + right)
                .orElse("command");
        String clean = words.replaceAll("[^A-Za-z0-9.]+", "-");
        return clean.substring(0, Math.min(40, clean.length()));
    }

    /** Every process of all nodes, zombies too, without the harness's own. */
    public List<ProcessRow> processes() {
        return namespaces.processes().stream()
                .filter(row -> probe == null || row.parent() != probe.pid())
                .toList();
    }

    public List<ProcessRow> onNode(ClusterNode node) {
        return processes().stream()
                .filter(row -> row.network().equals(node.network()))
                .toList();
    }

    /** The control store of this cluster's head. */
    public ProcessRow gcs() {
        return onNode(head()).stream()
                .filter(RayProcesses::isGcs)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the cluster has no GCS process"));
    }

    /** Sends SIGKILL. */
    public void kill(ProcessRow victim) {
        signal(victim, "KILL");
    }

    /** Sends a signal, such as STOP, to one process. */
    public void signal(ProcessRow target, String name) {
        InsideProcess.kill(name, Long.toString(target.pid()));
    }

    /** What runs now is what the cluster consists of, for tests that start Ray themselves. */
    public void takeAsStarted() {
        baseline = namespaces.processes();
        sharedMemory = sharedMemory();
    }

    /** PATH of a command that is started here: the cluster's Python and this JVM's Java come first. */
    public String path() {
        return python.bin() + ":" + System.getProperty("java.home")
                + "/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    }

    /** The processes that there were when the cluster had just started. */
    List<ProcessRow> baseline() {
        return baseline;
    }

    /** The names in the {@code /dev/shm} of each node, without Ray's own. */
    Set<String> sharedMemory() {
        return nodes().stream()
                .flatMap(node -> list(node.file("/dev/shm"), name -> !name.startsWith("plasma")).stream()
                        .map(name -> name + " on " + node.name()))
                .collect(Collectors.toSet());
    }

    Set<String> sharedMemoryBefore() {
        return sharedMemory;
    }

    /** What workers on all nodes have written down for successors, and sockets of their fork servers. */
    public List<String> memoryFiles() {
        return nodes().stream()
                .flatMap(node -> Stream.concat(
                                list(nodeFolder(node, "workers"), name -> name.endsWith(".json")).stream(),
                                forkSockets(node).stream())
                        .map(name -> name + " on " + node.name()))
                .toList();
    }

    /** Names of the sockets of fork servers on a node. */
    public Set<String> forkSockets(ClusterNode node) {
        return list(nodeFolder(node, "forks"), name -> true);
    }

    private static Path nodeFolder(ClusterNode node, String name) {
        return node.file("/tmp/sglang-ray-" + NodeDirectories.userId() + "/" + name);
    }

    /** The text of all logs on a node whose names begin so. */
    public String logs(ClusterNode node, String prefix) {
        StringBuilder text = new StringBuilder();
        Path ray = node.file("/tmp/ray");
        // The link session_latest would lead out of the node's /tmp.
        for (String session : list(ray, name -> name.startsWith("session_2"))) {
            Path folder = ray.resolve(session).resolve("logs");
            for (String log : list(folder, name -> name.startsWith(prefix))) {
                try {
                    text.append(Files.readString(folder.resolve(log)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
        return text.toString();
    }

    private static Set<String> list(Path folder, Predicate<String> wanted) {
        if (!Files.isDirectory(folder)) {
            return Set.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(wanted)
                    .collect(Collectors.toCollection(TreeSet::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ray's nodes: {@code id}, {@code ip}, {@code alive}, {@code resources}. */
    public JsonNode nodeTable() {
        return rows("nodes");
    }

    /** Ray's actors, dead ones too: {@code id}, {@code name}, {@code class}, {@code state}, {@code job}, {@code ip}, {@code pid}. */
    public JsonNode actors() {
        return rows("actors");
    }

    /** Ray's placement groups, removed ones too: {@code id}, {@code name}, {@code state}, {@code bundles}. */
    public JsonNode placementGroups() {
        return rows("placement_groups");
    }

    /** The answer to an HTTP GET made inside the head: {@code status}, 0 if there is none, and {@code text}. */
    public JsonNode get(String url) {
        return Objects.requireNonNull(probe).http(url, null);
    }

    /** The answer to an HTTP POST of JSON made inside the head: {@code status}, 0 if there is none, and {@code text}. */
    public JsonNode post(String url, JsonNode body) {
        return Objects.requireNonNull(probe).http(url, body);
    }

    private JsonNode rows(String table) {
        return probe == null ? MissingNode.getInstance() : probe.rows(table);
    }

    /** Checks that nothing is left of what tests started on the cluster, and that the cluster itself lives. */
    public void assertNothingLeft() {
        new Leftovers(this).assertNone();
    }

    /** What tests started on the cluster and is there now, one line each. */
    public List<String> leftovers() {
        return new Leftovers(this).find();
    }

    /** Checks that the cluster still runs with the very processes that it started with. */
    public void assertLives() {
        new Leftovers(this).assertClusterLives();
    }

    /** Copies Ray's logs of every node, where there are some, to {@link #logs}. */
    public void saveLogs() {
        for (ClusterNode node : nodes()) {
            Path target = logs.resolve("ray-" + node.name());
            String script = "test ! -e /tmp/ray/session_latest/logs || cp -r /tmp/ray/session_latest/logs \"$0\"";
            exec(node, Duration.ofSeconds(30), "sh", "-c", script, target.toString())
                    .orFail();
        }
    }

    /** Ends every process of the cluster. */
    @Override
    public void close() {
        synchronized (started) {
            started.forEach(InsideProcess::close);
        }
        namespaces.close();
    }

    private static Path newFolder(ClusterSpec spec) {
        try {
            Path parent = PythonEnvironment.repository().resolve("ray-app/target/clusters");
            Files.createDirectories(parent);
            return Files.createTempDirectory(
                    parent, "ray-" + spec.rayVersion() + "-" + spec.nodes().size() + "-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
