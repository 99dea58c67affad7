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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the start script asks of the machine. Java is one that prints its words; every Python fails and says it was asked. */
class StartScriptTest {
    @TempDir
    private Path folder;

    private Path asked = Path.of("");

    @BeforeEach
    void tools() throws IOException {
        asked = folder.resolve("asked");
        executable(
                "java/bin/java",
                "case \"$*\" in *-Xno*) echo 'Unrecognized option: -Xno'; exit 1 ;; esac; echo \"started $*\"");
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
                "home",
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
    void takesThePythonThatTheWheelIsInstalledIn() throws Exception {
        Path wheel = folder.resolve("wheel/bin/python");
        executable("wheel/bin/python", "echo " + wheel + "; echo /wheel/ray_dist.jar");

        assertThat(run("", "up -c FILE", Path.of(""), "SGLANG_RAY_INSTALLED_IN=" + wheel))
                .startsWith("0")
                .contains("-Dsglangray.python=" + wheel, ":/wheel/ray_dist.jar");
        assertThat(asked).doesNotExist();
    }

    /** The script of a distribution, beside its jar and what prepares environments. */
    @ParameterizedTest
    @CsvSource({"demo,true", "up --local -c FILE,true", "status,false", "up -c FILE --detach,false"})
    void anInstalledCommandFetchesGigabytesForAFleetOfThisMachineOnly(String words, boolean prepares) throws Exception {
        Files.copy(Path.of("bin/sglang-ray"), folder.resolve("sglang-ray"));
        Path fetched = folder.resolve("fetched");
        executable("python-bridge/prepare", "[ \"$1\" = run ] && touch " + fetched + "; exit 1");
        List<String> command =
                new ArrayList<>(List.of("bash", folder.resolve("sglang-ray").toString()));
        command.addAll(List.of(words.split(" ")));

        assertThat(run("", command, Path.of(""), "NOTHING=")).startsWith("3").contains("python-bridge/prepare run");
        assertThat(Files.exists(fetched)).isEqualTo(prepares);
    }

    @Test
    void namesAPythonThatCannotBeUsed() throws Exception {
        assertThat(run("/no/such/python", "up -c FILE")).startsWith("3").contains("SGLANG_RAY_PYTHON=/no/such/python");
    }

    /**
     * Real Java, and a shell that writes the letters, since the tests' own JVM may have no locale for them. Locales that are not
     * installed stand for those of a person who came from elsewhere by ssh.
     */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "LC_ALL=POSIX",
                "LANG=C.UTF-8 LC_TIME=xx_XX.UTF-8",
                "LANG=tr_TR.UTF-8 SGLANG_RAY_JAVA_OPTS='-Duser.language=ar -Duser.country=EG'",
            })
    void lettersOutsideAsciiArriveUnderAnyLocale(String locale) throws Exception {
        realJava();
        String script = """
                unset LANG LC_ALL LC_CTYPE SGLANG_RAY_PYTHON
                work='数据'; mkdir "$work"; cd "$work"
                cat > '服务.yaml' <<'END'
                cluster: {num_nodes: 12, component_placement: {rollout: all}}
                router_server_args:
                  model_path: ${oc.env:MODEL_DIR}
                  tensor_parallel_size: 1
                  pipeline_parallel_size: 1
                  server: {model_path: "${..model_path}", served_model_name: 'İı'}
                  router: {}
                END
                export MODEL_DIR=/models/千问 LOCALE
                sglang-ray config show --json -c '服务.yaml' "+router_server_args.router.policy='模型'"
                """.replace("LOCALE", locale);

        assertThat(runScript(script))
                .startsWith("0")
                .contains("/models/千问", "模型", "İı", "服务.yaml\"", "数据/")
                .doesNotContain("\ufffd", "Exception", "error");
    }

    @Test
    void aConfigurationComesThroughAnyDescriptor() throws Exception {
        realJava();
        String output = runScript("""
                echo 'a: 17' > file
                sglang-ray config show --key a -c - < file
                sglang-ray config show --key a -c <(cat file)
                sglang-ray config show --key a -c /dev/fd/3 3< file
                """);

        assertThat(output.lines().filter(line -> line.contains("17  #")))
                .as(output)
                .hasSize(3);
    }

    /** Puts the JVM of the tests, with the command line's classes, in the place of Java. */
    private void realJava() throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        executable("java/bin/java", """
                        case " $* " in
                          *" -version "*) exit 0 ;;
                        esac
                        options=
                        while [ "$1" != dev.sglangray.app.cli.SglangRay ]; do
                          case $1 in
                            -D*) options="$options $1" ;;
                          esac
                          shift
                        done
                        exec '%s' -XX:+UseSerialGC -XX:TieredStopAtLevel=1 $options -cp '%s' "$@"
                        """.formatted(java, System.getProperty("java.class.path")));
    }

    @Test
    void namesTheVariableWhoseOptionsJavaRefuses() throws Exception {
        String output = runScript("export SGLANG_RAY_JAVA_OPTS=-Xno; sglang-ray --help");

        assertThat(output)
                .startsWith("2")
                .contains("SGLANG_RAY_JAVA_OPTS: Java refuses these options: Unrecognized option: -Xno")
                .doesNotContain("started");
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
        return run(python, command, working, variable);
    }

    /** Of a script in the test's folder that finds the command on its path; without a Python. */
    private String runScript(String script) throws IOException, InterruptedException {
        String command = "sglang-ray() { bash '" + Path.of("bin/sglang-ray").toAbsolutePath() + "' \"$@\"; }\n";
        Path file = Files.writeString(folder.resolve("script.sh"), command + "cd '" + folder + "'\n" + script);
        return run("", List.of("bash", file.toString()), Path.of(""), "NOTHING=");
    }

    private String run(String python, List<String> command, Path working, String variable)
            throws IOException, InterruptedException {
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
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        return process.exitValue() + " " + Files.readString(output);
    }

    private void executable(String name, String body) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
