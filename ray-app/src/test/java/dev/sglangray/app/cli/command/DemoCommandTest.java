/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DemoCommandTest {

    @ParameterizedTest
    @CsvSource({"0, 2, 2", "1, 2, 1", "2, 2, 2", "8, 2, 2"})
    void noEngineGetsAnAcceleratorThatIsNotThere(int accelerators, int wanted, int engines) {
        assertThat(DemoCommand.enginesOn(accelerators, wanted)).isEqualTo(engines);
    }

    @Test
    void withoutAcceleratorsItAsksForTheProcessor() {
        assertThat(DemoCommand.overrides("/it's", 2)).containsExactly("router_server_args.model_path='/it\\'s'");
        assertThat(DemoCommand.overrides("/m", 0)).contains("+router_server_args.server.device=cpu");
    }
}
