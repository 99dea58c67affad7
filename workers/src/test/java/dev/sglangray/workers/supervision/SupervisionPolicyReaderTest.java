/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SupervisionPolicyReaderTest {

    private static SupervisionPolicy read(String yaml) {
        return SupervisionPolicyReader.read(Config.parse(yaml));
    }

    @Test
    void aBlockThatSaysNothingHasTheDefaults() {
        assertThat(read("server: {}")).isEqualTo(SupervisionPolicy.DEFAULT);
        assertThat(read("supervision:")).isEqualTo(SupervisionPolicy.DEFAULT);
        assertThat(read("supervision: {}")).isEqualTo(SupervisionPolicy.DEFAULT);
    }

    @Test
    void everyKeyIsRead() {
        assertThat(read("""
                        supervision:
                          restart: on-failure
                          max_restarts: 7
                          restart_window_s: 60
                          backoff_initial_s: 0.5
                          backoff_max_s: 2
                          probe: health
                          probe_interval_s: 3
                          probe_timeout_s: 4.5
                          probe_failures: 2
                          on_degraded: fail
                          on_node_loss: wait
                          node_loss_s: 12.5
                        """))
                .isEqualTo(new SupervisionPolicy(
                        RestartMode.ON_FAILURE,
                        7,
                        60,
                        0.5,
                        2,
                        ProbeKind.HEALTH,
                        3,
                        4.5,
                        2,
                        OnDegraded.FAIL,
                        OnNodeLoss.WAIT,
                        12.5));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{restart: sometimes} | supervision.restart | never, on-failure, always",
                "{restrat: never} | unknown key 'restrat' | restart",
                "{max_restarts: -1} | max_restarts must be 0 or more, not -1 | supervision",
                "{on_node_loss: flee} | supervision.on_node_loss | replan, wait",
                "{node_loss_s: -1} | node_loss_s must be 0 or more | supervision",
                "{probe_interval_s: 0} | probe_interval_s must be above 0 | supervision",
                "{backoff_initial_s: 9, backoff_max_s: 1} | backoff_max_s must not be below | 9.0",
                "often | must be a map | restart: never"
            })
    void whatIsWrongIsSaid(String value, String words, String more) {
        assertThatThrownBy(() -> read("supervision: " + value))
                .isInstanceOfSatisfying(
                        ConfigException.class,
                        e -> assertThat(e.render()).contains(words).contains(more));
    }
}
