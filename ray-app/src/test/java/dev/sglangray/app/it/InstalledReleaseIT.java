/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.docs.DocBlock;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@code make release} writes, used as people install it. None of the sources can be seen by then. */
@Tag("sglang")
class InstalledReleaseIT {

    private static final Path REPOSITORY = PythonEnvironment.repository();
    private static final Path FOLDER = REPOSITORY.resolve("ray-app/target/clusters/release");
    private static final Path RELEASE = FOLDER.resolve("one");
    private static final Path VENV = FOLDER.resolve("venv");
    private static final Duration BUILD = Duration.ofMinutes(10);

    /** What a program could find of a checkout; hidden from each program here. */
    private static final List<String> SOURCES = List.of(
            "bom",
            "config",
            "placement",
            "client",
            "workers",
            "python-bridge",
            "ray-app/bin",
            "ray-app/conf",
            "ray-app/target/dist",
            "ray-app/target/classes");

    @BeforeAll
    static void buildTwiceAndInstall() throws IOException {
        delete(FOLDER);
        build("one", "022", Map.of());
        build("a second one", "077", Map.of("TZ", "Asia/Tokyo", "LC_ALL", "C"));
        run(FOLDER, Map.of(), "python3", "-m", "venv", VENV.toString());
        run(FOLDER, Map.of(), VENV + "/bin/pip", "install", "-q", "--no-index", file(".whl"));
        run(FOLDER, Map.of(), "tar", "--extract", "--file", file(".tar.gz"));
    }

    /** Builds a release of the working tree and keeps nothing else. */
    private static void build(String name, String umask, Map<String, String> environment) throws IOException {
        Path tree = FOLDER.resolve("tree of " + name);
        Files.createDirectories(tree);
        run(REPOSITORY, Map.of(), "bash", "-c", """
                umask %s
                git ls-files --cached --others --exclude-standard -z | while IFS= read -r -d '' file; do
                  if [[ -f $file ]]; then cp --parents -- "$file" "$0"; fi
                done
                """.formatted(umask), tree.toString());
        run(tree, environment, "bash", "-c", "umask " + umask + " && .ci/release");
        Files.move(tree.resolve("target/release"), FOLDER.resolve(name));
        delete(tree);
    }

    @Test
    void twoBuildsAreEqual() throws IOException {
        assertThat(run(FOLDER, Map.of(), "diff", "-rq", "one", "a second one")).isEmpty();
        assertThat(run(RELEASE, Map.of(), "sha256sum", "--check", "SHA256SUMS").lines())
                .hasSize(3)
                .allMatch(line -> line.endsWith(": OK"));
    }

    @Test
    void everyModuleHasWhatCentralAsksFor() throws IOException {
        List<String> names = files(RELEASE.resolve("maven"));
        for (String module : List.of("config", "placement", "python-bridge", "client", "workers", "app")) {
            String artifact = "sglang-ray-" + module + "-0.1.0";
            assertThat(names)
                    .contains(
                            artifact + ".jar", artifact + ".pom", artifact + "-sources.jar", artifact + "-javadoc.jar");
        }
        assertThat(names).contains("sglang-ray-bom-0.1.0.pom", "sglang-ray-parent-0.1.0.pom");
        assertThat(Files.readString(Path.of(file(".cdx.json"))))
                .contains("\"bomFormat\" : \"CycloneDX\"", "pkg:maven/com.fasterxml.jackson.core/jackson-databind@");
    }

    /** In a Python without Ray: the command prepares one by itself, which the test's own user has already. */
    @Test
    void theWheelRunsTheDemo() {
        ClusterSpec bare = new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(NodeSpec.gpus(0)), Services.NONE);
        try (TestCluster machine = TestCluster.start(bare)) {
            ExitResult result = installed(machine, Map.of(), VENV + "/bin/sglang-ray", "demo");
            assertThat(result.orFail().stdout())
                    .containsPattern("engine 1 +ready +http://")
                    .containsPattern("answer +\\S+ \\S+ \\S+");
            assertThat(machine.leftovers()).isEmpty();
        }
    }

    @Test
    void aMavenProjectLaunchesAFleet() throws IOException {
        Path project = Files.createDirectories(FOLDER.resolve("project"));
        Path sources = Files.createDirectories(project.resolve("src/main/java"));
        DocumentedCommandsIT.writeSource(sources, "com.example", "Rollout", DocBlock.marked("code: Rollout"));
        Files.writeString(project.resolve("pom.xml"), """
                <project>
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>com.example</groupId><artifactId>rollout</artifactId><version>1</version>
                  <properties><maven.compiler.release>17</maven.compiler.release></properties>
                  <repositories><repository><id>staging</id><url>%s</url></repository></repositories>
                %s</project>
                """.formatted(
                        RELEASE.resolve("maven").toUri(), DocBlock.marked("code: maven")));
        // Artifacts of the staging repository stay in the project; what the user has is read.
        run(
                project,
                Map.of(),
                REPOSITORY.resolve("mvnw").toString(),
                "-B",
                "-q",
                "package",
                "-Dmaven.repo.local=" + project.resolve("repository"),
                "-Dmaven.repo.local.tail=" + Path.of(System.getProperty("user.home"), ".m2/repository"));

        try (TestCluster cluster = TestCluster.start(cluster())) {
            serveYaml(cluster, project);
            String jar = project.resolve("target/rollout-1.jar").toString();
            ExitResult result = installed(
                    cluster,
                    Map.of("RAY_ADDRESS", cluster.address(), "FOLDER", project.toString()),
                    "bash",
                    "-c",
                    "cd \"$FOLDER\" && exec \"$0\" \"$@\"",
                    VENV + "/bin/sglang-ray",
                    "run",
                    "--class-path",
                    jar,
                    "com.example.Rollout");
            assertThat(result.orFail().stdout()).containsPattern("http://\\S+ serves");
            cluster.assertNothingLeft();
        }
    }

    @Test
    void theArchiveLaunchesAFleetAndEndsIt() throws IOException {
        String program = FOLDER.resolve("sglang-ray-0.1.0/sglang-ray").toString();
        try (TestCluster cluster = TestCluster.start(cluster())) {
            Map<String, String> address = Map.of("RAY_ADDRESS", cluster.address());
            String yaml = serveYaml(cluster, Files.createDirectories(FOLDER.resolve("archive")))
                    .toString();
            assertThat(installed(cluster, address, program, "--version")
                            .orFail()
                            .stdout())
                    .isEqualTo("sglang-ray 0.1.0\n");
            installed(cluster, address, program, "up", "-c", yaml, "--detach").orFail();
            assertThat(installed(cluster, address, program, "status").orFail().stdout())
                    .containsPattern("fleet +healthy");
            installed(cluster, address, program, "down").orFail();
            cluster.assertNothingLeft();
        }
    }

    private static ClusterSpec cluster() {
        return new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(StandIn.on(NodeSpec.gpus(2))), Services.RAY);
    }

    private static Path serveYaml(TestCluster cluster, Path folder) throws IOException {
        String yaml = DocBlock.marked("file: serve.yaml")
                .replace(
                        DocumentedCommandsIT.MODEL, StandIn.model(cluster, "{}").toString());
        return Files.writeString(folder.resolve("serve.yaml"), yaml);
    }

    /** Runs where the sources cannot be seen. */
    private static ExitResult installed(TestCluster machine, Map<String, String> environment, String... command) {
        List<String> words = new ArrayList<>(List.of(
                "unshare", "--mount", "bash", "-euc", """
                root=$1; shift
                for folder in $1; do mount -t tmpfs none "$root/$folder"; done; shift
                exec "$@"
                """, "bash", REPOSITORY.toString(), String.join(" ", SOURCES)));
        words.addAll(List.of(command));
        try (InsideProcess process = machine.spawn(machine.head(), words, environment)) {
            return process.await(Duration.ofMinutes(8));
        }
    }

    private static String file(String end) throws IOException {
        try (Stream<Path> files = Files.list(RELEASE)) {
            return files.map(Path::toString)
                    .filter(name -> name.endsWith(end))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no file " + end + " in " + RELEASE));
        }
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .toList();
        }
    }

    /** Runs on this machine, outside of namespaces; the output, where the command succeeds. */
    private static String run(Path folder, Map<String, String> environment, String... command) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Path out = Files.createTempFile("release-", ".log");
        try {
            Process process = builder.redirectOutput(out.toFile()).start();
            if (!process.waitFor(BUILD.toSeconds(), TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
                throw new AssertionError(String.join(" ", command) + " took more than " + BUILD);
            }
            String said = Files.readString(out);
            assertThat(process.exitValue())
                    .as(String.join(" ", command) + "\n" + said)
                    .isZero();
            return said;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        } finally {
            Files.delete(out);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, java.io.IOException failure) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
