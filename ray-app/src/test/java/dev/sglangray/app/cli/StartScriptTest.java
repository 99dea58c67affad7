/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the start script asks of the machine. Java is one that prints its words; every Python fails and says it was asked. */
class StartScriptTest {
    @TempDir
    private Path folder;

    private Path asked = Path.of("");

    @BeforeEach
    void tools() throws IOException {
        asked = folder.resolve("asked");
        executable("java/bin/java", "echo \"started $*\"");
        executable("bin/python3", "touch " + asked + "; exit 1");
        executable("bin/python", "touch " + asked + "; exit 1");
        Files.createFile(folder.resolve("sglang-ray.jar"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "up --help",
                "up --local -h",
                "status --help",
                "run --help",
                "help up",
                "--help",
                "plan --help",
                "generate --url http://10.0.0.1:30000 hello",
                "generate --url=http://10.0.0.1:30000 hello",
                "config schema",
            })
    void isStartedWithoutAskingAnyPython(String words) throws Exception {
        assertThat(run("", words)).startsWith("0").contains("started", words);
        assertThat(run("/no/such/python", words)).startsWith("0").contains("started", words);
        assertThat(asked).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"plan --cluster FILE", "validate -c FILE"})
    void takesAPythonWithoutRayWhereOnlySglangIsAskedOf(String words) throws Exception {
        assertThat(run("", words)).startsWith("0").contains("started", words);
        assertThat(run("/no/such/python", words))
                .startsWith("0")
                .contains("-Dsglangray.python=/no/such/python ", words);
    }

    @ParameterizedTest
    @ValueSource(strings = {"up -c FILE", "generate hello", "run com.example.Main --help", "run -cp a.jar Main -h"})
    void refusesWhatNeedsRayWithoutIt(String words) throws Exception {
        assertThat(run("", words))
                .startsWith("3")
                .contains("no Python with Ray")
                .doesNotContain("started");
        assertThat(asked).exists();
    }

    @Test
    void namesAPythonThatCannotBeUsed() throws Exception {
        assertThat(run("/no/such/python", "up -c FILE")).startsWith("3").contains("SGLANG_RAY_PYTHON=/no/such/python");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":", ".", "/opt/lib:"})
    void nothingOfTheWorkingDirectoryRuns(String path) throws Exception {
        Path working = Files.createDirectory(folder.resolve("working"));
        for (String name : List.of("contextlib", "types", "os", "importlib", "ray")) {
            Files.writeString(working.resolve(name + ".py"), "import sys; sys.exit(open(" + quoted(asked) + ", 'w'))");
        }
        executable("bin/python3", "exec " + realPython() + " \"$@\"");
        Path jars = Files.createDirectories(folder.resolve("site/ray/jars"));
        Files.createFile(folder.resolve("site/ray/__init__.py"));
        Files.createFile(jars.resolve("ray_dist.jar"));

        assertThat(run("", "up", working, "PYTHONPATH=" + folder.resolve("site") + ":" + path))
                .startsWith("0")
                .contains(jars.resolve("ray_dist.jar").toString());
        assertThat(asked).doesNotExist();
    }

    private static String quoted(Path path) {
        return "'" + path + "'";
    }

    private static String realPython() throws IOException, InterruptedException {
        Process which = new ProcessBuilder("python3", "-c", "import sys; print(sys.executable)").start();
        return new String(which.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }

    private String run(String python, String words) throws IOException, InterruptedException {
        return run(python, words, Path.of(""), "NOTHING=");
    }

    /** Exit code and output. */
    private String run(String python, String words, Path working, String variable)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("bash", Path.of("bin/sglang-ray").toAbsolutePath().toString()));
        command.addAll(List.of(words.split(" ")));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.directory(working.toAbsolutePath().toFile());
        builder.environment()
                .put(variable.substring(0, variable.indexOf('=')), variable.substring(variable.indexOf('=') + 1));
        Path output = Files.createTempFile(folder, "output", ".txt");
        builder.redirectOutput(output.toFile());
        builder.environment().put("PATH", folder.resolve("bin") + ":" + System.getenv("PATH"));
        builder.environment().put("HOME", folder.toString());
        builder.environment().put("JAVA_HOME", folder.resolve("java").toString());
        builder.environment()
                .put("SGLANG_RAY_JAR", folder.resolve("sglang-ray.jar").toString());
        builder.environment().put("SGLANG_RAY_PYTHON", python);
        Process process = builder.start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        return process.exitValue() + " " + Files.readString(output);
    }

    private void executable(String name, String body) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
