/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/**
 * The manifests of {@code deploy/kubernetes}, run in namespaces: the pods are those that KubeRay's own code makes of them
 * ({@code *.pods.json}, see {@code deploy/kubernetes/operator}), one on each node of a test cluster.
 */
@Tag("ray")
class KubernetesIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FOLDER = PythonEnvironment.repository().resolve("deploy/kubernetes");
    private static final String TOKEN = "kuberay-token-0123456789abcdef0123456789";
    private static final String API_KEY = "key-of-the-fleet";
    private static final Duration ONE_PROBE = Duration.ofSeconds(1);

    /** Prints the status and the text of an answer: URL, body or "", then headers as NAME: VALUE. */
    private static final String HTTP = """
            import sys, urllib.request, urllib.error
            url, body, *headers = sys.argv[1:]
            request = urllib.request.Request(url, body.encode() or None, dict(h.split(": ", 1) for h in headers))
            try:
                answer = urllib.request.urlopen(request, timeout=60)
            except urllib.error.HTTPError as error:
                answer = error
            except OSError as error:
                sys.exit("0\\n" + str(error))
            print(answer.status, answer.read().decode(), sep="\\n")
            """;

    /** Prints the names of live actors and of placement groups. */
    private static final String LEFT = """
            import ray
            ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
            names = [actor["name"] for actor in ray.util.list_named_actors(all_namespaces=True)]
            groups = [group["name"] for group in ray.util.placement_group_table().values() if group["state"] != "REMOVED"]
            print("left:", sorted(name for name in names + groups if not name.startswith(("_ray", "JOB:"))))
            """;

    private final TestCluster cluster = TestCluster.start(
            new ClusterSpec(PythonEnvironment.NEWEST_RAY, Collections.nCopies(4, NodeSpec.gpus(0)), Services.NONE));
    private final ClusterNode elsewhere = cluster.nodes().get(3);

    @AfterEach
    void close() {
        cluster.close();
    }

    @Test
    void aRayJobRunsAFleet() throws IOException {
        Deployment deployment = new Deployment("rayjob", "sglang-ray-r8xk2");
        deployment.start();
        String jobs = deployment.dashboard() + "/api/jobs/";
        String request = JSON.writeValueAsString(deployment.made.path("request"));
        assertThat(http(jobs, request, "Content-Type: application/json").status).isEqualTo(401);
        Answer submitted =
                http(jobs, request, "Content-Type: application/json", "x-ray-authorization: Bearer " + TOKEN);
        assertThat(submitted.status).as(submitted.text).isEqualTo(200);
        String job = JSON.readTree(submitted.text).path("submission_id").asText();
        deployment.becomesReady();
        deployment.serves();
        deployment.staysInServiceWhileAnEngineHeals();
        Answer stopped = http(jobs + job + "/stop", "{}", "x-ray-authorization: Bearer " + TOKEN);
        assertThat(stopped.status).as(stopped.text).isEqualTo(200);
        await("the end of the job")
                .atMost(Cli.DEADLINE)
                .pollInterval(ONE_PROBE)
                .until(() -> http(jobs + job, "", "x-ray-authorization: Bearer " + TOKEN)
                        .text
                        .contains("STOPPED"));
        deployment.leavesNothing();
    }

    @Test
    void aRayClusterHasADetachedFleet() throws IOException {
        Deployment deployment = new Deployment("raycluster", "sglang-ray");
        deployment.start();
        try (InsideProcess submitter = deployment.submitter("fleet-0").start()) {
            deployment.becomesReady();
            submitter.await(Cli.DEADLINE).orFail();
        }
        deployment.serves();
        // As after an upgrade of the release: the fleet that is there stays.
        String before =
                deployment.head.exec("sglang-ray", "status", "--json").orFail().stdout();
        ExitResult again = deployment.submitter("fleet-1").run().orFail();
        assertThat(again.stdout()).contains("HEALTHY");
        assertThat(urls(deployment
                        .head
                        .exec("sglang-ray", "status", "--json")
                        .orFail()
                        .stdout()))
                .isEqualTo(urls(before));
        deployment.head.exec("sglang-ray", "down").orFail();
        deployment.leavesNothing();
    }

    private static List<String> urls(String status) throws IOException {
        List<String> urls = new ArrayList<>();
        JSON.readTree(status)
                .path("workers")
                .forEach(worker -> urls.add(worker.path("url").asText()));
        assertThat(urls).hasSize(3);
        return urls;
    }

    private record Answer(int status, String text) {}

    /** From a pod that is none of Ray's. */
    private Answer http(String url, String body, String... headers) {
        List<String> command =
                new ArrayList<>(List.of(cluster.python().python().toString(), "-I", "-c", HTTP, url, body));
        command.addAll(List.of(headers));
        ExitResult result = cluster.exec(elsewhere, Cli.DEADLINE, command.toArray(String[]::new));
        String[] lines = (result.stdout() + result.stderr()).split("\n", 2);
        return new Answer(Integer.parseInt(lines[0].strip()), lines.length > 1 ? lines[1] : "");
    }

    /** The objects of one manifest, and the pods that KubeRay makes of it. */
    private final class Deployment {
        private final JsonNode made;
        private final List<JsonNode> objects = new ArrayList<>();
        private final String hosts;
        private final Map<String, String> secrets;
        private final Map<String, Path> volumes;
        private final Pod head;
        private final List<Pod> workers = new ArrayList<>();

        Deployment(String name, String rayCluster) throws IOException {
            made = JSON.readTree(FOLDER.resolve(name + ".pods.json").toFile());
            new Yaml()
                    .loadAll(Files.readString(FOLDER.resolve(name + ".yaml")))
                    .forEach(document -> objects.add(JSON.valueToTree(document)));
            secrets = Map.of(rayCluster + "/auth_token", TOKEN, "sglang-ray-key/api-key", API_KEY);
            Path models = Files.createDirectories(cluster.logs().resolve("models"));
            Files.move(StandIn.model(cluster, "{\"load_seconds\": 8}"), models.resolve("Qwen2.5-7B-Instruct"));
            volumes = Map.of(
                    "models",
                    models,
                    "fleet",
                    Pod.files(cluster.logs().resolve("config"), object("ConfigMap", "sglang-ray-fleet")));
            String headService =
                    made.path("headService").path("metadata").path("name").asText();
            hosts = "127.0.0.1 localhost\n%s %s.sglang-ray.svc.cluster.local\n%s %s.sglang-ray\n"
                    .formatted(
                            cluster.head().ip(),
                            headService,
                            cluster.head().ip(),
                            service().path("metadata").path("name").asText());
            head = pod(cluster.head(), made.path("head"));
            JsonNode group = made.path("workers").path(0);
            for (int i = 1; i <= group.path("replicas").asInt(); i++) {
                workers.add(pod(cluster.nodes().get(i), group.path("pod")));
            }
            assertThat(workers).hasSize(2);
            cluster.exec(elsewhere, ONE_PROBE.multipliedBy(60), "sh", "-c", "printf %s \"$0\" > /etc/hosts", hosts)
                    .orFail();
            assertThat(head.isSelectedBy(made.path("headService").path("spec").path("selector")))
                    .isTrue();
        }

        private Pod pod(ClusterNode node, JsonNode pod) {
            return new Pod(cluster, node, pod, hosts, secrets, volumes);
        }

        private JsonNode object(String kind, String name) {
            return objects.stream()
                    .filter(object -> object.path("kind").asText().equals(kind))
                    .filter(object ->
                            object.path("metadata").path("name").asText().equals(name))
                    .findFirst()
                    .orElseThrow();
        }

        private JsonNode service() {
            return object("Service", "sglang-ray");
        }

        String dashboard() {
            String name = made.path("headService").path("metadata").path("name").asText();
            return "http://" + name + ".sglang-ray.svc.cluster.local:" + head.port("dashboard");
        }

        /** As KubeRay: it submits the job once all pods are ready. */
        void start() {
            List<Pod> pods = new ArrayList<>(workers);
            pods.add(0, head);
            pods.forEach(Pod::start);
            for (Pod pod : pods) {
                await("a pod that is ready without a fleet")
                        .atMost(Cli.DEADLINE)
                        .pollInterval(ONE_PROBE)
                        .until(pod::isReady);
            }
            cluster.takeAsStarted();
        }

        /** The submitter's pod, on a node that is none of Ray's. */
        Pod submitter(String id) throws IOException {
            String template = JSON.writeValueAsString(made.path("submitter")).replace("fleet-0", id);
            return pod(elsewhere, JSON.readTree(template));
        }

        /** Not ready while the engines load, ready afterwards. */
        void becomesReady() {
            await("a head that is not ready during the launch")
                    .atMost(Cli.DEADLINE)
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> !head.isReady());
            assertThat(http(metrics() + "/readyz", "").status).isEqualTo(503);
            await("a head that is ready with its fleet")
                    .atMost(Cli.DEADLINE)
                    .pollInterval(ONE_PROBE)
                    .until(head::isReady);
            assertThat(http(metrics() + "/readyz", "").status).isEqualTo(200);
        }

        private String metrics() {
            JsonNode monitor = object("PodMonitor", "sglang-ray").path("spec");
            assertThat(head.isSelectedBy(monitor.path("selector").path("matchLabels")))
                    .isTrue();
            String port =
                    monitor.path("podMetricsEndpoints").path(0).path("port").asText();
            return "http://" + head.node().ip() + ":" + head.port(port);
        }

        /** At the Service's port, on the only pod that it selects, with the key alone; and metrics where Prometheus looks. */
        void serves() {
            JsonNode spec = service().path("spec");
            assertThat(head.isSelectedBy(spec.path("selector"))).isTrue();
            assertThat(workers).noneMatch(worker -> worker.isSelectedBy(spec.path("selector")));
            JsonNode port = spec.path("ports").path(0);
            assertThat(port.path("port").asInt())
                    .isEqualTo(head.port(port.path("targetPort").asText()));
            String url = "http://sglang-ray.sglang-ray:" + port.path("port").asInt() + "/generate";
            String body = "{\"text\": \"a b\", \"sampling_params\": {\"max_new_tokens\": 2}}";
            assertThat(http(url, body, "Content-Type: application/json").status).isEqualTo(401);
            Answer answer = http(url, body, "Content-Type: application/json", "Authorization: Bearer " + API_KEY);
            assertThat(answer.status).as(answer.text).isEqualTo(200);
            assertThat(http(metrics() + "/metrics", "").text)
                    .contains(
                            "sglang_ray_router_up", "sglang_ray_engines_wanted{fleet=\"SGLangServerGroup\"");
        }

        /** Requests are served meanwhile, so the pod stays in the Service; and it is not restarted. */
        void staysInServiceWhileAnEngineHeals() {
            cluster.kill(FaultScene.engines(cluster, workers.get(0).node()).get(0));
            await("the owner to see it")
                    .atMost(Cli.DEADLINE)
                    .until(() -> http(metrics() + "/metrics", "")
                            .text
                            .lines()
                            .anyMatch(line -> line.startsWith("sglang_ray_engine_up{") && line.endsWith(" 0.0")));
            assertThat(head.isReady()).isTrue();
            assertThat(head.isAlive()).isTrue();
        }

        void leavesNothing() {
            cluster.assertNothingLeft();
            ExitResult left = head.exec(cluster.python().python().toString(), "-c", LEFT);
            assertThat(left.orFail().stdout()).contains("left: []");
            assertThat(head.isAlive()).isTrue();
        }
    }
}
