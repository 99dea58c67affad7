/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RayVersionTest {
    @ParameterizedTest
    @ValueSource(strings = {"2.39.0", "2.44.1", "2.60.0", "2.60.3", "2.60", "2.52.0rc1"})
    void supports(String version) {
        assertThatCode(() -> RayVersion.parse(version).requireSupported("the cluster"))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"2.38.9", "1.13.0", "2.61.0", "3.0.0"})
    void refuses(String version) {
        assertThatThrownBy(() -> RayVersion.parse(version).requireSupported("the cluster at 10.0.0.1:6379"))
                .isInstanceOf(SessionException.class)
                .hasMessageContaining("the cluster at 10.0.0.1:6379 is Ray " + version)
                .hasMessageContaining("2.39.0 to 2.60.x");
    }

    @Test
    void comparesNumbersNotText() {
        assertThat(RayVersion.parse("2.9.0")).isLessThan(RayVersion.parse("2.39.0"));
    }

    @Test
    void refusesWhatIsNoVersion() {
        assertThatThrownBy(() -> RayVersion.parse("nightly")).isInstanceOf(SessionException.class);
    }
}
