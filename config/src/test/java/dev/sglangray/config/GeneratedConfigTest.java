/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.config.argument.ArgumentSchema;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.launcher.LauncherArgs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Properties that hold for every configuration, tried on random ones; the seed is in the test's name. */
class GeneratedConfigTest {
    private static final int TRIES = 100;

    @TempDir
    Path folder;

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 5);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void whatIsPrintedReadsBack(long seed) {
        RandomValues values = new RandomValues(seed);
        for (int i = 0; i < TRIES; i++) {
            Map<String, @Nullable Object> map = values.map(4);
            String printed = Printed.yaml(map);

            Object read = Config.parse(printed, Map.of()).toJava();

            assertThat(read).as("read from %s", printed).isEqualTo(map);
            assertThat(Printed.yaml(read)).isEqualTo(printed);
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void overridesSetWhatTheySay(long seed) throws IOException {
        Path file = Files.writeString(folder.resolve("config.yaml"), "present: 1\n");
        RandomValues values = new RandomValues(seed);
        for (int i = 0; i < TRIES / 5; i++) {
            Map<String, @Nullable Object> map = values.map(3);
            List<String> overrides = new ArrayList<>();
            map.forEach((key, value) -> overrides.add("++" + key + "=" + Printed.override(value)));

            Config once = load(file, overrides);
            List<String> twice = new ArrayList<>(overrides);
            twice.addAll(overrides);

            map.forEach((key, value) -> assertThat(once.require(key).toJava())
                    .as("set by %s", overrides)
                    .isEqualTo(value));
            assertThat(load(file, twice).toJava()).as("repeating %s", overrides).isEqualTo(once.toJava());
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void onlyConfigExceptionsEscape(long seed) throws IOException {
        Path file = Files.writeString(folder.resolve("config.yaml"), "a: {b: [1, x]}\nc: ${a.b}\n");
        RandomValues values = new RandomValues(seed);
        for (int i = 0; i < 2 * TRIES; i++) {
            String yaml = values.noise(
                    "a: ", "\n", "- ", "{", "[", "${b}", "oc.decode:", "&x ", "*x", "<<: ", "!!str ", "? ");
            refusedOrRead(yaml, () -> {
                Config config = Config.parse(yaml, Map.of());
                refusedOrRead(yaml, () -> ClusterConfig.from(config));
                refusedOrRead(yaml, () -> LauncherArgs.from(config));
                config.toJava();
            });
            String value = values.noise("${oc.decode:", "${oc.create:", "${a", "[", "{", "}", "a", "b", ":", ",");
            refusedOrRead(value, () -> Config.of(Map.of("a", value, "b", 1)).toJava());
            String override = values.noise("a", ".b", "c", "=", "+", "~", "@", "[", "{", "int(", "hydra.", "/");
            refusedOrRead(override, () -> load(file, List.of(override)).toJava());
            refusedOrRead(override, () -> ArgumentSchema.parse(override));
        }
    }

    private static void refusedOrRead(String input, Runnable step) {
        try {
            step.run();
        } catch (ConfigException e) {
            assertThat(e.problems()).as("problems of '%s'", input).isNotEmpty();
        } catch (RuntimeException | Error e) {
            throw new AssertionError("'" + input + "' made " + e, e);
        }
    }

    private static Config load(Path file, List<String> overrides) {
        return ConfigLoader.builder()
                .configFile(file)
                .overrides(overrides)
                .environment(Map.of())
                .load();
    }
}
