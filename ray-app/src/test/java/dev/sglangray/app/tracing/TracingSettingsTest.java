/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The map {@code tracing}. */
class TracingSettingsTest {
    @ParameterizedTest
    @CsvSource({
        "'{}',",
        "'tracing: null',",
        "'tracing: {otlp_traces_endpoint: \"collector:4317\"}', http://collector:4317",
        "'tracing: {otlp_traces_endpoint: \"https://c.example:443/\"}', https://c.example:443/",
        "'tracing: {otlp_traces_endpoint: \"[::1]:4317\"}', http://[::1]:4317"
    })
    void readsWhereTracesGo(String yaml, URI endpoint) {
        assertThat(TracingSettings.read(Config.parse(yaml)).map(TracingSettings::endpoint))
                .isEqualTo(java.util.Optional.ofNullable(endpoint));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tracing: true|must be a map",
                "tracing: {}|must say where traces go",
                "tracing: {otlp_traces_endpoint: collector}|host and port",
                "tracing: {otlp_traces_endpoint: 'collector:99999'}|host and port",
                "tracing: {otlp_traces_endpoint: 'ftp://collector:4317'}|host and port",
                "tracing: {otlp_traces_endpoint: 'http://a:b@collector:4317'}|host and port",
                "tracing: {otlp_traces_endpoint: 'collector:4317/v1/traces'}|without a path",
                "tracing: {otlp_trace_endpoint: 'collector:4317'}|otlp_traces_endpoint"
            })
    void refusesWhatIsWrong(String yaml, String words) {
        assertThatThrownBy(() -> TracingSettings.read(Config.parse(yaml)))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        wrong -> assertThat(wrong.render()).contains(words, "tracing"));
    }

    /** A wrong value may have a password in it. */
    @Test
    void doesNotRepeatAPassword() {
        assertThatThrownBy(() -> TracingSettings.read(
                        Config.parse("tracing: {otlp_traces_endpoint: 'http://me:geheim12345@collector:4317'}")))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        wrong -> assertThat(wrong.render()).doesNotContain("geheim12345"));
    }
}
