/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProgressDisplayTest {
    @Test
    void aDrawnLineStaysOnOneLineOfTheTerminal() {
        String line = "[   1.0 s]  … " + "starting engines ".repeat(9);

        assertThat(ProgressDisplay.cut(line, 80))
                .hasSize(79)
                .startsWith("[   1.0 s]")
                .endsWith("…");
        assertThat(ProgressDisplay.cut(line, 1000)).isEqualTo(line);
        assertThat(ProgressDisplay.cut("0123456789", 10)).isEqualTo("01234567…");
    }

    @Test
    void theWidthIsTheShells() {
        assertThat(ProgressDisplay.width("132")).isEqualTo(132);
        assertThat(ProgressDisplay.width(null)).isEqualTo(80);
        assertThat(ProgressDisplay.width("0")).isEqualTo(80);
        assertThat(ProgressDisplay.width("wide")).isEqualTo(80);
    }
}
