/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cluster.ClusterSpec.Addresses;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * The namespaces of one cluster: a first process, and under it one holder process per node.
 *
 * <p>The first process reads our end of a pipe and ends when that closes, and the kernel then kills all others; so
 * nothing outlives this JVM. As root the namespaces are plain ones; otherwise they belong to a user namespace.
 */
final class Namespaces implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final boolean ROOT = "root".equals(System.getProperty("user.name"));

    private final Process unshare;
    private final long first;
    private final List<ClusterNode> nodes;

    private Namespaces(Process unshare, long first, List<ClusterNode> nodes) {
        this.unshare = unshare;
        this.first = first;
        this.nodes = nodes;
    }

    /** Makes the namespaces of so many nodes; what goes wrong is in the error and in {@code namespaces.log}. */
    static Namespaces create(PythonEnvironment python, int count, Addresses addresses, Path logs) {
        String network = addresses == Addresses.IPV6_NAMES ? "fd00:9::" : "10.9.0.";
        List<Map<String, String>> specs = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            specs.add(Map.of("name", "node-" + (char) ('a' + i), "ip", network + (i + 1)));
        }
        List<String> command = new ArrayList<>(List.of("unshare"));
        if (!ROOT) {
            command.addAll(List.of("--user", "--map-root-user"));
        }
        command.addAll(List.of("--mount", "--pid", "--net", "--fork", "--mount-proc", "--kill-child", "--"));
        Path log = logs.resolve("namespaces.log");
        Process process = null;
        try {
            String spec = JSON.writeValueAsString(Map.of("nodes", specs, "kept", kept(python)));
            command.addAll(List.of(
                    python.python().toString(),
                    "-I",
                    "-S",
                    resource("cluster_init.py").toString(),
                    spec));
            process = new ProcessBuilder(command).redirectError(log.toFile()).start();
            return read(process, specs);
        } catch (IOException | RuntimeException e) {
            if (process != null) {
                process.destroyForcibly();
            }
            throw new AssertionError(
                    "cannot make the namespaces of a test cluster: " + e.getMessage() + "\n" + tail(log), e);
        }
    }

    private static Namespaces read(Process process, List<Map<String, String>> specs) throws IOException {
        BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
        String line = out.readLine();
        if (line == null) {
            throw new IOException("the first process ended before its nodes were there");
        }
        long first = process.children().findFirst().orElseThrow().pid();
        JsonNode holders = JSON.readTree(line).path("holders");
        List<ProcessRow> rows = ProcessRow.inNamespaceOf(first);
        List<ClusterNode> nodes = new ArrayList<>();
        for (int i = 0; i < specs.size(); i++) {
            long inner = holders.path(i).asLong();
            ProcessRow row =
                    rows.stream().filter(r -> r.innerPid() == inner).findFirst().orElseThrow();
            Map<String, String> spec = specs.get(i);
            nodes.add(new ClusterNode(
                    i,
                    Objects.requireNonNull(spec.get("name")),
                    Objects.requireNonNull(spec.get("ip")),
                    row.pid(),
                    row.network()));
        }
        return new Namespaces(process, first, List.copyOf(nodes));
    }

    /** The folders right below /tmp, if any, that nodes must share with this machine; the rest of /tmp is theirs. */
    private static Set<String> kept(PythonEnvironment python) throws IOException {
        Set<String> kept = new TreeSet<>();
        for (Path needed : List.of(
                PythonEnvironment.repository(),
                python.home(),
                python.python().toRealPath(),
                python.rayJars().toRealPath(),
                PythonEnvironment.withSglang().home(),
                Path.of(System.getProperty("java.home")))) {
            if (needed.startsWith("/tmp") && needed.getNameCount() > 1) {
                kept.add("/tmp/" + needed.getName(1));
            }
        }
        return kept;
    }

    List<ClusterNode> nodes() {
        return nodes;
    }

    /** The words that, put before a command, run it in the node. */
    List<String> enter(ClusterNode node) {
        List<String> words = new ArrayList<>(List.of("nsenter", "--target", Long.toString(node.holder())));
        if (!ROOT) {
            words.addAll(List.of("--user", "--preserve-credentials"));
        }
        words.addAll(List.of("--mount", "--net", "--uts", "--pid", "--"));
        return words;
    }

    /** Takes a node's link to the others away, or gives it back. */
    void link(ClusterNode node, boolean joined) {
        List<String> words = new ArrayList<>(List.of("nsenter", "--target", Long.toString(first)));
        if (!ROOT) {
            words.addAll(List.of("--user", "--preserve-credentials"));
        }
        words.addAll(List.of("--net", "--", "ip", "link", "set", "veth" + node.index(), joined ? "up" : "down"));
        try {
            Process process =
                    new ProcessBuilder(words).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError(String.join(" ", words) + ": " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** Every process inside but the first and the holders. */
    List<ProcessRow> processes() {
        return ProcessRow.inNamespaceOf(first).stream()
                .filter(row -> row.pid() != first && nodes.stream().noneMatch(node -> node.holder() == row.pid()))
                .toList();
    }

    /** Ends the first process, and with it everything inside. */
    @Override
    public void close() {
        try {
            unshare.getOutputStream().close();
            if (!unshare.waitFor(10, TimeUnit.SECONDS)) {
                unshare.destroyForcibly();
            }
        } catch (IOException e) {
            unshare.destroyForcibly();
        } catch (InterruptedException e) {
            unshare.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        Awaitility.await("the end of every process of the cluster")
                .atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> !Files.exists(Path.of("/proc/" + first)));
    }

    /** The file of a test resource beside this class. */
    static Path resource(String name) {
        try {
            return Path.of(Objects.requireNonNull(Namespaces.class.getResource(name), name)
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static String tail(Path log) {
        try {
            String text = Files.exists(log) ? Files.readString(log) : "";
            return text.length() > 4000 ? "…" + text.substring(text.length() - 4000) : text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
