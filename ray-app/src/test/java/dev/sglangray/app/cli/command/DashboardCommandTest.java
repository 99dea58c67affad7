/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DashboardCommandTest {
    @Test
    void saysHowToReachAPageOfAnotherNodesLoopback() {
        assertThat(DashboardCommand.tunnel("http://127.0.0.1:29333", "10.0.0.1", "10.0.0.2"))
                .hasValue("it listens on node 10.0.0.1 for programs of that node only; from here:"
                        + " ssh -N -L 29333:127.0.0.1:29333 10.0.0.1");
        assertThat(DashboardCommand.tunnel("http://127.0.0.1:29333", "10.0.0.1", "10.0.0.1"))
                .isEmpty();
        assertThat(DashboardCommand.tunnel("http://10.0.0.1:29333", "10.0.0.1", "10.0.0.2"))
                .isEmpty();
    }
}
