/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.TestCluster;
import org.junit.jupiter.api.Test;

/** The router is smg. */
@OnCluster(ray = PythonEnvironment.NEWEST_RAY)
class HealingOnRay260IT extends HealingContract {
    @Override
    String router() {
        return "smg";
    }

    @Test
    void aFleetIsEndedWhenItsBudgetIsSpentAndItsPolicySaysSo(TestCluster cluster) {
        String none = "+router_server_args.supervision={max_restarts:0,on_degraded:fail}";
        try (FaultScene scene = FaultScene.start(cluster, "{}", none)) {
            scene.signal(scene.engine(), "KILL");
            assertThat(scene.up.await(Cli.DEADLINE).code()).isEqualTo(4);
            assertThat(scene.up.stderr()).contains("on_degraded is fail");
            scene.ended();
        }
    }
}
