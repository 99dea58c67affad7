/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sglangray.app.cluster.PythonEnvironment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The container image: its steps run, and what they make runs Ray and the command as a pod does. */
@Tag("sglang")
class ImageIT {
    private static final Path REPOSITORY = PythonEnvironment.repository();
    /** It takes two minutes on a machine that has nothing else to do; packages are fetched meanwhile. */
    private static final Duration DEADLINE = Duration.ofMinutes(15);

    @TempDir
    Path folder;

    @BeforeAll
    static void hasBuildah() {
        for (String program : List.of("buildah", "debootstrap")) {
            boolean there =
                    Stream.of("/usr/bin", "/usr/sbin").anyMatch(place -> Files.isExecutable(Path.of(place, program)));
            if (System.getenv("SGLANG_RAY_REQUIRE_TOOLS") == null) {
                assumeTrue(there, program + " is not installed (on Debian: apt-get install " + program + ")");
            }
            assertThat(there).as(program).isTrue();
        }
    }

    @Test
    void isBuiltAndRunsAsAPod() throws Exception {
        // The wheel of this build's distribution; a release, which is built from scratch, has the same one.
        run(
                REPOSITORY.resolve("python-bridge"),
                "env",
                "SGLANG_RAY_DIST=" + REPOSITORY.resolve("ray-app/target/dist"),
                PythonEnvironment.withTools().python().toString(),
                "-m",
                "hatchling",
                "build",
                "--target",
                "wheel",
                "--directory",
                folder.toString());
        Path wheel;
        try (Stream<Path> files = Files.list(folder)) {
            wheel = files.filter(file -> file.toString().endsWith(".whl"))
                    .findFirst()
                    .orElseThrow();
        }
        String said = run(
                REPOSITORY,
                ".ci/image",
                wheel.toString(),
                Files.createDirectory(folder.resolve("image")).toString());

        assertThat(said)
                .contains("\nsglang-ray 0.1.0\n", "Ray runtime started", "\nvalid: ")
                // The driver of the image is on the Ray of the image.
                .containsPattern("\n0 +10\\.1\\.2\\.3 +2 x NV_GPU ")
                .containsPattern("\nSGLangServerGroup:0 +srt +0 +cluster +0 +GPU 2\n");
        assertThat(folder.resolve("image")).doesNotExist();
    }

    private String run(Path where, String... command) throws IOException, InterruptedException {
        Path log = Files.createTempFile(folder, "log", ".txt");
        Process process = new ProcessBuilder(command)
                .directory(where.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        if (!ended) {
            // Its namespaces end with it.
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String said = Files.readString(log);
        assertThat(ended).as("no end within " + DEADLINE + "\n" + said).isTrue();
        assertThat(process.exitValue()).as(said).isZero();
        return said;
    }
}
