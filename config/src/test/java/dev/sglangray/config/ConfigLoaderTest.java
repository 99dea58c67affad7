/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigLoaderTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void writeGroup() throws IOException {
        Files.createDirectories(folder.resolve("db"));
        Files.writeString(folder.resolve("db/pg.yaml"), "port: 5432\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "${sum:1,2,3}|6",
                "${sum:${list}}|9",
                "x${sum:[1,2]}|x3",
                "${my.join:${map}}|a=4",
                "${my.join:{k: v}}|k=v",
                "${my.pair:a}|[a, a]",
            })
    void programsAddResolvers(String text, String expected) throws IOException {
        write("a: '" + text + "'\nlist: [4, '${four}', 1]\nfour: 4\nmap: {a: '${four}'}\n");

        assertThat(String.valueOf(loader().load().require("a").toJava())).isEqualTo(expected);
    }

    private ConfigLoader.Builder loader() {
        return ConfigLoader.builder()
                .configDir(folder)
                .configName("main")
                .environment(Map.of())
                .resolver("sum", arguments -> sum(arguments))
                .resolver("my.join", arguments -> {
                    Map<?, ?> map = (Map<?, ?>) arguments.get(0);
                    return String.join(
                            ",",
                            map.entrySet().stream()
                                    .map(entry -> entry.getKey() + "=" + entry.getValue())
                                    .toList());
                })
                .resolver("my.pair", arguments -> List.of(arguments.get(0), arguments.get(0)))
                .resolver("fails", arguments -> {
                    throw new IllegalStateException("no luck");
                })
                .resolver("odd", arguments -> new Object());
    }

    private static int sum(List<?> arguments) {
        return arguments.stream()
                .mapToInt(argument -> argument instanceof List<?> list ? sum(list) : (Integer) argument)
                .sum();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "${fails:}|the resolver 'fails' failed: no luck",
                "${odd:}|a configuration cannot hold a java.lang.Object",
                "${sun:1}|did you mean 'sum'?",
            })
    void aResolverThatFailsIsNamed(String text, String message) throws IOException {
        write("a: '" + text + "'\n");

        Config config = loader().load();

        assertThatThrownBy(() -> config.require("a").toJava())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("main.yaml:1:4")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"oc.env", "multiply", "hydra", "now", "", "a b", "1a", "a..b"})
    void namesOfResolversAreFreeAndPlain(String name) throws IOException {
        write("a: 1\n");
        ConfigLoader.Builder builder = loader().resolver(name, arguments -> null);

        assertThatThrownBy(builder::load).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aResolverIsGivenOnce() {
        assertThatThrownBy(() -> loader().resolver("sum", arguments -> null))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "${hydra:job.name}|sglang-ray",
                "${hydra:job.config_name}|main",
                "${hydra:job.override_dirname}|a=1,b=2",
                "${hydra:overrides.task}|[b=2, a=1]",
                "${hydra:overrides.hydra}|[hydra.verbose=true]",
                "${hydra:verbose}|true",
                "${hydra:runtime.choices.db}|pg",
                "${hydra:runtime.version_base}|1.1",
                "${hydra:run.dir}|runs/5432",
                "${hydra:sweep.dir}|runs/5432/sweep",
            })
    void whatHydraKnowsOfTheRunIsThere(String text, String expected) throws IOException {
        write("""
                defaults: [{db: pg}]
                hydra:
                  run: {dir: "runs/${db.port}"}
                  sweep: {dir: "${hydra.run.dir}/sweep"}
                a: 0
                b: 0
                x: '%s'
                """.formatted(text));

        Config config =
                loader().overrides(List.of("b=2", "a=1", "hydra.verbose=true")).load();

        assertThat(String.valueOf(config.require("x").toJava())).isEqualTo(expected);
        assertThat(config.has("hydra")).isFalse();
    }

    @Test
    void directoriesOfTheRunAreThoseOfThisProcess() throws IOException {
        write("cwd: ${hydra:runtime.cwd}\nout: ${hydra:runtime.output_dir}\nhydra: {run: {dir: o}}\n");

        Config config = loader().load();

        String here = Path.of("").toAbsolutePath().toString();
        assertThat(config.require("cwd").asString()).isEqualTo(here);
        assertThat(config.require("out").asString()).isEqualTo(here + "/o");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "${hydra:job.num}|only in a run of Hydra's own",
                "${hydra:jop}|did you mean 'job'?",
                "${hydra:}|takes 1 arguments",
            })
    void whatHydraDoesNotKnowHereIsAnError(String text, String message) throws IOException {
        write("a: '" + text + "'\n");
        Config config = loader().load();

        assertThatThrownBy(() -> config.require("a").toJava()).hasMessageContaining(message);
    }

    @Test
    void theWayToAValueIsKnown() throws IOException {
        write("defaults: [{db: pg}]\na: ${b}\nb: ${db.port}\nc: 1\n");

        Config config = loader().overrides(List.of("c=2")).load();

        assertThat(config.require("a").trail()).hasSize(2);
        assertThat(config.require("a").trail().get(0)).startsWith("'b' at").endsWith("main.yaml:3:4");
        assertThat(config.require("a").trail().get(1))
                .startsWith("'db.port' at")
                .endsWith("pg.yaml:1:7");
        assertThat(config.require("db.port").trail())
                .singleElement()
                .satisfies(step -> assertThat(step).contains("main.yaml:1:17", "db/pg"));
        assertThat(config.require("c").trail()).isEmpty();
    }

    @Test
    void theWayToWhatCannotBeResolvedEndsWhereItBreaks() throws IOException {
        write("a: ${b}\nb: ${c}\nc: ${nope}\n");

        assertThat(loader().load().require("a").trail()).hasSize(2);
    }

    @Test
    void checkingGoesOnBehindProblems() throws IOException {
        write("a: 1\na: 2\nb: ${\nt: !!python/name:os x\ngood: 3\n");

        CheckedConfig checked =
                loader().overrides(List.of("nope=1", "q=[", "good=4", "s=1,2")).check();

        assertThat(checked.problems().stream().map(ConfigProblem::message))
                .hasSize(6)
                .anySatisfy(message -> assertThat(message).contains("duplicate key 'a'"))
                .anySatisfy(message -> assertThat(message).contains("not a valid interpolation"))
                .anySatisfy(message -> assertThat(message).contains("python/name:os"))
                .anySatisfy(message -> assertThat(message).contains("does not exist"))
                .anySatisfy(message -> assertThat(message).contains("cannot read the override"))
                .anySatisfy(message -> assertThat(message).contains("several values"));
        assertThat(checked.config().orElseThrow().require("good").asInt()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "serve",
                "serve.conf",
                "serve.yaml.bak",
                ".hidden",
                "63",
                "two words",
                "???",
                "_self_",
                "${oc.env:X}.yaml",
                "db@pkg",
                "a=b",
                "null",
                "\u670d\u52a1.yaml",
            })
    void aFileIsReadWhateverItsName(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, "defaults: [{db: pg}]\nmodel: small\n");

        Config config = ConfigLoader.builder()
                .configFile(file)
                .overrides(List.of("+more=1"))
                .load();

        assertThat(config.require("model").asString()).isEqualTo("small");
        assertThat(config.require("db.port").asInt()).isEqualTo(5432);
        assertThat(config.require("more").asInt()).isEqualTo(1);
        assertThat(config.require("model").position().file()).isEqualTo(file.toString());
    }

    @Test
    void aPipeIsReadOnce() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Thread writer = new Thread(() -> {
            try {
                Files.writeString(pipe, "# @package _global_\nmodel: small\n");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        writer.start();

        CheckedConfig checked = ConfigLoader.builder().configFile(pipe).check();

        writer.join();
        assertThat(checked.problems()).isEmpty();
        assertThat(checked.config().orElseThrow().require("model").asString()).isEqualTo("small");
    }

    @Test
    void whatCannotBeReadSaysWhy() {
        assertThatThrownBy(() -> load(folder)).hasMessageContaining(folder + ": error: is a folder, not a file");
        assertThatThrownBy(() -> load(Path.of("/"))).hasMessageContaining("is a folder, not a file");
        assertThatThrownBy(() -> load(Path.of(""))).hasMessageContaining("is a folder, not a file");
        assertThatThrownBy(() -> load(folder.resolve("none/none"))).hasMessageContaining("there is no such file");
        assertThatThrownBy(() -> load(folder.resolve("db/pg.yaml/x"))).hasMessageContaining("Not a directory");
        assertThatThrownBy(() -> load(Path.of("/dev/zero"))).hasMessageContaining("the file is larger than");
    }

    private static void load(Path file) {
        var unused = ConfigLoader.builder().configFile(file).load();
    }

    @Test
    void aFileInPlaceOfTheFolderIsNamedAsSuch() throws IOException {
        write("a: 1\n");

        assertThatThrownBy(() -> ConfigLoader.builder()
                        .configDir(folder.resolve("main.yaml"))
                        .configName("main")
                        .load())
                .hasMessageContaining("is a file, not a folder of configurations");
    }

    private void write(String text) throws IOException {
        Files.writeString(folder.resolve("main.yaml"), text);
    }
}
