/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.LauncherArgs;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AutoscalingReaderTest {
    private static final String ALIKE = "{tensor_parallel_size: 1, pipeline_parallel_size: 1, router: {}, ";

    private static Map<String, AutoscalingSettings> read(String rest, boolean growable) {
        Config root = Config.parse("{cluster: {component_placement: {rollout: all}}, b: " + ALIKE
                + "server: {model_path: /m}, " + rest + "}}");
        Config block = root.require("b");
        LauncherArgs arguments = LauncherArgs.from(block);
        return AutoscalingReader.read(block, arguments, EnginePool.of(root, block, arguments), growable);
    }

    private static Map<String, AutoscalingSettings> read(String rest) {
        return read(rest, true);
    }

    @Test
    void isOffUnlessAsked() {
        assertThat(read("bind_host: all")).isEmpty();
        assertThat(read("autoscaling: null")).isEmpty();
    }

    @Test
    void hasTheDefaultsOfRayServe() {
        assertThat(read("autoscaling: {max_engines: 4, target_ongoing_requests: 32}"))
                .isEqualTo(Map.of(
                        "",
                        new AutoscalingSettings(
                                1,
                                4,
                                32,
                                Duration.ofSeconds(30),
                                Duration.ofSeconds(600),
                                1,
                                1,
                                Duration.ofSeconds(30),
                                Duration.ofSeconds(5),
                                Duration.ofSeconds(300))));
    }

    @Test
    void readsAllKeys() {
        assertThat(read(
                        "autoscaling: {min_engines: 2, max_engines: 4, target_ongoing_requests: 1.5, upscale_delay_s: 0,"
                                + " downscale_delay_s: 60, upscaling_factor: 0.5, downscaling_factor: 0.25,"
                                + " look_back_period_s: 10, interval_s: 0.5, drain_s: 900}"))
                .isEqualTo(Map.of(
                        "",
                        new AutoscalingSettings(
                                2,
                                4,
                                1.5,
                                Duration.ZERO,
                                Duration.ofSeconds(60),
                                0.5,
                                0.25,
                                Duration.ofSeconds(10),
                                Duration.ofMillis(500),
                                Duration.ofSeconds(900))));
    }

    @Test
    void whatTheBlockSaysHoldsForPoolsThatSayNothing() {
        Map<String, AutoscalingSettings> all = read("autoscaling: {max_engines: 4, target_ongoing_requests: 32}, pools:"
                + " [{name: a}, {name: b, autoscaling: {max_engines: 8}}, {name: c, autoscaling: null}]");
        assertThat(all.keySet()).containsExactly("a", "b");
        assertThat(all.values()).extracting(AutoscalingSettings::maxEngines).containsExactly(4, 8);
        assertThat(all.values()).extracting(AutoscalingSettings::target).containsExactly(32.0, 32.0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            autoscaling: 4                                                       | b.autoscaling      | must be a map, such as
            autoscaling: {max_engines: 4}                                        | b.autoscaling      | there is no default
            autoscaling: {target_ongoing_requests: 4}                            | b.autoscaling      | max_engines is required
            autoscaling: {min_replicas: 1}                                       | min_replicas       | min_engines
            autoscaling: {min_engines: 0, max_engines: 1, target_ongoing_requests: 4} | min_engines   | the router answers 503
            autoscaling: {min_engines: 3, max_engines: 2, target_ongoing_requests: 4} | max_engines   | which is 3, and is 2
            autoscaling: {max_engines: 2, target_ongoing_requests: 0}            | target_ongoing_requests | from 0.001 on, not 0.0
            autoscaling: {max_engines: 2, target_ongoing_requests: .inf}         | target_ongoing_requests | from 0.001 on
            autoscaling: {max_engines: 2, target_ongoing_requests: 4, upscale_delay_s: -1} | upscale_delay_s | from 0 on, not -1.0
            autoscaling: {max_engines: 2, target_ongoing_requests: 4}, launch_router: false | b.autoscaling | needs the fleet's router
            autoscaling: {max_engines: 2, target_ongoing_requests: 4}, launch_server: false | b.autoscaling | launch_server is off
            pools: [{name: a, engines: 3, autoscaling: {max_engines: 2, target_ongoing_requests: 4}}] | b.pools[0].autoscaling.max_engines | pool 'a' is launched with 3 engine(s)
            pools: [{name: a, engines: 1, autoscaling: {min_engines: 2, max_engines: 2, target_ongoing_requests: 4}}] | b.pools[0].autoscaling.min_engines | is launched with 1 engine(s)
            """)
    void refusesWithThePlace(String yaml, String key, String words) {
        assertThatThrownBy(() -> read(yaml))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        refusal -> assertThat(refusal.render()).contains(key, words));
    }

    @Test
    void refusesWhereNothingIsKnownToBeFree() {
        assertThatThrownBy(() -> read("autoscaling: {max_engines: 2, target_ongoing_requests: 4}", false))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("placement_group.accelerator_ids");
    }

    @Test
    void aFaultOfTheBlockIsReportedOnce() {
        assertThatThrownBy(() -> read(
                        "autoscaling: {max_engines: 2, target_ongoing_requests: -1}, pools: [{name: a}, {name: b}]"))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        refusal -> assertThat(refusal.problems()).hasSize(1));
    }
}
