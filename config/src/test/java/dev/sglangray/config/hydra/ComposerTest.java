/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.PythonText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComposerTest {
    @TempDir
    Path folder;

    @BeforeEach
    void writeGroups() throws IOException {
        write("engine/small.yaml", "tp: 1\nname: small\n");
        write("engine/large.yaml", "defaults:\n  - small\n  - /store: disk\n  - _self_\ntp: 8\n");
        write("engine/both.yaml", "defaults: [../store@keep: disk]\ntp: 3\n");
        write("store/disk.yaml", "kind: disk\n");
        write("store/net.yaml", "# @package _global_\nnet: true\n");
        write("store/far.yaml", "# @package far.away\nx: 1\n");
        write("plain.yaml", "p: 1\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                // Where the primary configuration stands in the order.
                "[{engine: small}]; engine: {tp: 5} | {'engine': {'tp': 5, 'name': 'small'}}",
                "[_self_, {engine: small}]; engine: {tp: 5} | {'engine': {'tp': 1, 'name': 'small'}}",
                "[{engine: small}, _self_]; engine: {tp: 5} | {'engine': {'tp': 5, 'name': 'small'}}",
                // Packages.
                "[{engine@a.b: small}] | {'a': {'b': {'tp': 1, 'name': 'small'}}}",
                "[{engine@_global_: small}] | {'tp': 1, 'name': 'small'}",
                "[{store: net}] | {'net': True}",
                "[{store@x: net}] | {'x': {'net': True}}",
                "[{store: far}] | {'far': {'away': {'x': 1}}}",
                "[plain] | {'p': 1}",
                "[plain@q] | {'q': {'p': 1}}",
                "[/store/disk] | {'store': {'kind': 'disk'}}",
                // Nested lists, relative and absolute.
                "[{engine: large}] | {'engine': {'tp': 8, 'name': 'small', 'store': {'kind': 'disk'}}}",
                "[{engine: both}] | {'engine': {'keep': {'kind': 'disk'}, 'tp': 3}}",
                // Choices.
                "[{engine: null}] | {}",
                "[{optional engine: none}] | {}",
                "[{store: [disk, net]}] | {'store': {'kind': 'disk'}, 'net': True}",
                "[{engine: small}, {override engine: large}] |"
                        + " {'engine': {'tp': 8, 'name': 'small', 'store': {'kind': 'disk'}}}",
                "[{engine: small}, {store: '${pick}'}, {pick: disk}] |"
                        + " {'engine': {'tp': 1, 'name': 'small'}, 'store': {'kind': 'disk'}, 'pick': {}}",
                // Hydra's own.
                "[{override hydra/job_logging: none}]; a: 1 | {'a': 1}",
                "[]; hydra: {run: {dir: .}}; a: 1 | {'a': 1}"
            })
    void composes(String config, String result) throws IOException {
        write("pick/disk.yaml", "");
        write("config.yaml", "defaults: " + config.replace("; ", "\n"));

        assertThat(compose()).isEqualTo(result);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "engine=large | {'engine': {'tp': 8, 'name': 'small', 'store': {'kind': 'disk'}}, 'a': {'b': 1}}",
                "+store=disk | {'engine': {'tp': 1, 'name': 'small'}, 'a': {'b': 1}, 'store': {'kind': 'disk'}}",
                "+store@s=disk | {'engine': {'tp': 1, 'name': 'small'}, 'a': {'b': 1}, 's': {'kind': 'disk'}}",
                "~engine | {'a': {'b': 1}}",
                "engine.tp=4 | {'engine': {'tp': 4, 'name': 'small'}, 'a': {'b': 1}}",
                "a={b: [x]} | {'engine': {'tp': 1, 'name': 'small'}, 'a': {'b': ['x']}}",
                "++a.c.d=1 | {'engine': {'tp': 1, 'name': 'small'}, 'a': {'b': 1, 'c': {'d': 1}}}",
                "~a.b=1 | {'engine': {'tp': 1, 'name': 'small'}, 'a': {}}",
                "hydra.run.dir=x | {'engine': {'tp': 1, 'name': 'small'}, 'a': {'b': 1}}"
            })
    void appliesOverrides(String override, String result) throws IOException {
        write("config.yaml", "defaults:\n  - engine: small\na: {b: 1}\n");

        assertThat(compose(override)).isEqualTo(result);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[{engine: smal}] | config.yaml:1:21 | did you mean 'small'?",
                "[{engine: ???}] | config.yaml:1:21 | has to be chosen",
                "[nope] | config.yaml:1:12 | there is no configuration 'nope', which 'config' names",
                "[config] | config.yaml:1:12 | circle: config -> config",
                "[{engine: small, store: disk}] | config.yaml:1:12 | not 2",
                "[3] | config.yaml:1:12 | must be a text or",
                "{engine: small} | config.yaml:1:11 | must be a list",
                "[_self_, _self_] | config.yaml:1:20 | stands twice",
                "[{override engine: small}] | config.yaml:1:30 | cannot be overridden",
                "[{engine: small}, {override engine: large}, plain] | config.yaml:1:55 | at the end",
                "[{engine: small}, {engine: large}] | config.yaml:1:21 | is chosen twice",
                "[{store: '${nope}'}] | config.yaml:1:20 | there is no 'nope'",
                "[{override hydra/launcher: nope}] | config | there is no configuration 'hydra/launcher/nope'",
                "[]; hydra: {rnu: 1} | config.yaml:2:14 | did you mean 'run'?"
            })
    void saysWhatIsWrongWithAList(String config, String position, String message) throws IOException {
        write("config.yaml", "defaults: " + config.replace("; ", "\n").replace("???", "\"???\""));

        assertThatThrownBy(this::compose)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(position)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "engin=large | did you mean 'engine'?",
                "engine=lrge | did you mean 'large'?",
                "store=disk | to add it to the defaults list, write '+store=disk'",
                "engine@x=large | did you mean 'engine'?",
                "++engine=large | cannot be added with '++'",
                "+engine=large | is chosen twice",
                "~engine=large | no defaults list has 'engine=large'",
                "engine.pt=1 | to add it, write '+engine.pt=1'",
                "engine.nme=1 | did you mean 'engine.name'?",
                "+engine.tp=1 | is already there",
                "~nope | does not exist",
                "~engine.tp=2 | its value is 1",
                "a.b=1,2 | stands for several values",
                "a=[1] | cannot merge",
                "a.b=${ | cannot read the override",
                "a.b='${' | not a valid interpolation",
                "hydra.rnu=1 | did you mean 'hydra.run'?",
                "x@y=1 | there is no config group 'x'"
            })
    void saysWhatIsWrongWithAnOverride(String override, String message) throws IOException {
        write("config.yaml", "defaults:\n  - engine: small\na: {b: 1}\n");

        assertThatThrownBy(() -> compose(override))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void looksInTheSearchPath() throws IOException {
        Path more = Files.createDirectories(folder.resolve("more"));
        write("more/other/one.yaml", "o: 1\n");
        write("config.yaml", "defaults:\n  - other: one\nhydra: {searchpath: ['file://${oc.env:MORE}']}\n");

        assertThat(compose(Map.of("MORE", more.toString()))).isEqualTo("{'other': {'o': 1}}");
    }

    @Test
    void onlyThePrimaryConfigurationExtendsTheSearchPath() throws IOException {
        write("store/sly.yaml", "# @package _global_\nhydra: {searchpath: [/tmp]}\n");
        write("config.yaml", "defaults: [{store: sly}]\n");

        assertThatThrownBy(this::compose).hasMessageContaining("only be given in the primary configuration");
    }

    @Test
    void reportsEveryOverrideThatDoesNotFit() throws IOException {
        write("config.yaml", "a: 1\n");

        assertThatThrownBy(() -> compose("b=1", "c=2", "+a=3"))
                .isInstanceOfSatisfying(
                        ConfigException.class, e -> assertThat(e.problems()).hasSize(3));
    }

    @Test
    void namesMissingFolderAndFile() {
        assertThatThrownBy(() ->
                        new Composer(folder.resolve("none"), new Interpolator(Map.of())).compose("config", List.of()))
                .hasMessageContaining("folder of configurations does not exist");
        assertThatThrownBy(this::compose).hasMessageContaining("there is no primary configuration 'config'");
    }

    private String compose(String... overrides) {
        return compose(Map.of(), overrides);
    }

    private String compose(Map<String, String> environment, String... overrides) {
        return PythonText.repr(new Composer(folder, new Interpolator(environment))
                .compose("config", List.of(overrides))
                .tree());
    }

    private void write(String path, String text) throws IOException {
        Path file = folder.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
