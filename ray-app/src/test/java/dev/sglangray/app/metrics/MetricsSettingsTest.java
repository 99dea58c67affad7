/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.app.monitor.ListenAddress;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricsSettingsTest {
    @Test
    void areOffUnlessAsked() {
        assertThat(MetricsSettings.read(Config.parse("{}"))).isEmpty();
        assertThat(MetricsSettings.read(Config.parse("metrics: null"))).isEmpty();
        assertThat(MetricsSettings.read(Config.parse("metrics: {}"))).hasValue(MetricsSettings.DEFAULT);
        assertThat(MetricsSettings.DEFAULT.address().host()).isEqualTo("127.0.0.1");
    }

    @Test
    void readsAllKeys() {
        assertThat(MetricsSettings.read(
                        Config.parse("metrics: {port: 9400, host: 0.0.0.0, ready_share: 0.5, interval_s: 2}")))
                .hasValue(new MetricsSettings(new ListenAddress(9400, "0.0.0.0"), 0.5, 2));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            metrics: 9400                  | must be a map, such as {port: 9400}
            metrics: {prot: 1}             | unknown key 'prot'
            metrics: {port: 65536}         | port must be from 0 to 65535, not 65536
            metrics: {ready_share: 1.5}    | ready_share must be from 0 to 1, not 1.5
            metrics: {interval_s: 0}       | interval_s must be above 0, not 0.0
            metrics: {host: ''}            | host must be an address
            """)
    void refusesWithThePlace(String yaml, String words) {
        assertThatThrownBy(() -> MetricsSettings.read(Config.parse(yaml)))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        refusal -> assertThat(refusal.render()).contains("metrics", words));
    }
}
