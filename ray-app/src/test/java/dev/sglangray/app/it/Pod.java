/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A pod on a node of a test cluster: what a kubelet does with it, as far as namespaces go.
 *
 * <p>The first container's volumes, variables, command, privileges and probes are those of the pod. Not so: its image is
 * the machine's file system with stand-ins for engines; its user is the test's, who owns the Python environment; CPU and
 * memory are not limited, as KubeRay has told Ray of both by then.
 */
final class Pod {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    /**
     * The node gets an /etc and a /mnt of its own, in which folders can be made to mount on. No overlay: without root that
     * fails where something is mounted below.
     */
    private static final String FOLDERS = """
            cp -a /etc /tmp/.etc 2>/tmp/.etc-errors || :
            set -e
            mount -n --bind /tmp/.etc /etc
            mount -n -t tmpfs tmpfs /mnt
            printf '%s' "$0" > /etc/hosts
            : > /etc/resolv.conf
            """;

    private static final List<String> UNPRIVILEGED =
            List.of("setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all");

    private final TestCluster cluster;
    private final ClusterNode node;
    private final JsonNode pod;
    private final Map<String, String> secrets;

    /**
     * Mounts its volumes.
     *
     * @param pod as KubeRay's operator makes it
     * @param hosts what the names of the Kubernetes cluster stand for
     * @param secrets the values of keys, by {@code SECRET/KEY}
     * @param volumes folders of this machine for the volumes that are neither memory nor part of the pod, by volume
     */
    Pod(
            TestCluster cluster,
            ClusterNode node,
            JsonNode pod,
            String hosts,
            Map<String, String> secrets,
            Map<String, Path> volumes) {
        this.cluster = cluster;
        this.node = node;
        this.pod = pod;
        this.secrets = Map.copyOf(secrets);
        asRoot(FOLDERS, hosts);
        for (JsonNode mount : container().path("volumeMounts")) {
            mount(mount, volumes);
        }
    }

    private void mount(JsonNode mount, Map<String, Path> volumes) {
        String path = mount.path("mountPath").asText();
        String name = mount.path("name").asText();
        for (JsonNode volume : pod.path("spec").path("volumes")) {
            if (!volume.path("name").asText().equals(name)) {
                continue;
            }
            JsonNode memory = volume.path("emptyDir");
            if (memory.path("medium").asText().equals("Memory")) {
                String size = memory.path("sizeLimit").asText().replace("i", "");
                asRoot("mount -n -t tmpfs -o mode=1777,size=$0 tmpfs $1", size, path);
            } else {
                Path source = volumes.get(name);
                if (source == null) {
                    throw new AssertionError("the test has nothing for the volume " + volume);
                }
                asRoot("mkdir -p $1 && mount -n --bind $0 $1", source.toString(), path);
                if (mount.path("readOnly").asBoolean()) {
                    asRoot("mount -n -o remount,bind,ro $0", path);
                }
            }
            return;
        }
        throw new AssertionError("no volume for " + mount);
    }

    private void asRoot(String script, String... words) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", script));
        command.addAll(List.of(words));
        cluster.exec(node, MINUTE, command.toArray(String[]::new)).orFail();
    }

    /** Runs its init containers one after the other, then starts its container. */
    InsideProcess start() {
        for (JsonNode init : pod.path("spec").path("initContainers")) {
            run(init, Cli.DEADLINE).orFail();
        }
        return spawn(container());
    }

    /** Runs its container, which ends by itself. */
    ExitResult run() {
        return run(container(), Cli.DEADLINE);
    }

    private ExitResult run(JsonNode container, Duration deadline) {
        try (InsideProcess process = spawn(container)) {
            return process.await(deadline);
        }
    }

    private InsideProcess spawn(JsonNode container) {
        List<String> command = new ArrayList<>();
        container.path("command").forEach(word -> command.add(word.asText()));
        container.path("args").forEach(word -> command.add(word.asText()));
        return spawn(container, command);
    }

    private InsideProcess spawn(JsonNode container, List<String> command) {
        List<String> words = new ArrayList<>();
        JsonNode security = container.path("securityContext");
        if (security.path("capabilities").path("drop").path(0).asText().equals("ALL")
                && !security.path("allowPrivilegeEscalation").asBoolean(true)) {
            words.addAll(UNPRIVILEGED);
        }
        words.addAll(List.of("env", "PATH=" + Cli.dist() + ":" + cluster.path()));
        words.addAll(command);
        return cluster.spawn(node, words, environment(container));
    }

    private Map<String, String> environment(JsonNode container) {
        // The image's own, then the container's.
        Map<String, String> variables = new TreeMap<>(StandIn.environment());
        for (JsonNode variable : container.path("env")) {
            variables.put(variable.path("name").asText(), value(variable));
        }
        return variables;
    }

    private String value(JsonNode variable) {
        JsonNode from = variable.path("valueFrom");
        if (from.has("secretKeyRef")) {
            JsonNode key = from.path("secretKeyRef");
            String secret = secrets.get(
                    key.path("name").asText() + "/" + key.path("key").asText());
            if (secret == null) {
                throw new AssertionError("the test has no secret for " + variable);
            }
            return secret;
        }
        if (from.has("fieldRef")) {
            String field = from.path("fieldRef").path("fieldPath").asText();
            return field.startsWith("metadata.labels['")
                    ? label(field.substring("metadata.labels['".length(), field.length() - 2))
                    : pod.path("metadata")
                            .path(field.substring("metadata.".length()))
                            .asText(node.name());
        }
        return variable.path("value").asText();
    }

    /** A command in the running container, as {@code kubectl exec} starts it. */
    ExitResult exec(String... command) {
        try (InsideProcess process = spawn(container(), List.of(command))) {
            return process.await(Cli.DEADLINE);
        }
    }

    /** One readiness probe. */
    boolean isReady() {
        return probe("readinessProbe");
    }

    /** One liveness probe. */
    boolean isAlive() {
        return probe("livenessProbe");
    }

    private boolean probe(String name) {
        JsonNode probe = container().path(name);
        Duration timeout = Duration.ofSeconds(probe.path("timeoutSeconds").asInt(1) + MINUTE.toSeconds());
        if (probe.has("httpGet")) {
            JsonNode get = probe.path("httpGet");
            String url = "http://" + node.ip() + ":" + get.path("port").asInt()
                    + get.path("path").asText();
            return cluster.exec(
                                    node,
                                    timeout,
                                    cluster.python().python().toString(),
                                    "-c",
                                    "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=30)",
                                    url)
                            .code()
                    == 0;
        }
        List<String> command = new ArrayList<>();
        probe.path("exec").path("command").forEach(word -> command.add(word.asText()));
        if (command.isEmpty()) {
            throw new AssertionError("not a probe that the test can make: " + name + " " + probe);
        }
        return exec(command.toArray(String[]::new)).code() == 0;
    }

    /** The number of a named port. */
    int port(String name) {
        for (JsonNode port : container().path("ports")) {
            if (port.path("name").asText().equals(name)) {
                return port.path("containerPort").asInt();
            }
        }
        throw new AssertionError("no port " + name + " in " + container().path("ports"));
    }

    /** Whether a selector of labels takes it. */
    boolean isSelectedBy(JsonNode selector) {
        return selector.properties().stream()
                .allMatch(wanted ->
                        label(wanted.getKey()).equals(wanted.getValue().asText()));
    }

    private String label(String key) {
        return pod.path("metadata").path("labels").path(key).asText();
    }

    ClusterNode node() {
        return node;
    }

    private JsonNode container() {
        return pod.path("spec").path("containers").path(0);
    }

    /** A folder with a ConfigMap's files. */
    static Path files(Path folder, JsonNode configMap) throws IOException {
        Files.createDirectories(folder);
        for (Map.Entry<String, JsonNode> file : configMap.path("data").properties()) {
            Files.writeString(folder.resolve(file.getKey()), file.getValue().asText());
        }
        return folder;
    }
}
