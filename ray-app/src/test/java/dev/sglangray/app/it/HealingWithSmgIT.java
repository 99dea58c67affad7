/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;

/** The router is smg. */
@OnCluster(ray = PythonEnvironment.NEWEST_RAY)
class HealingWithSmgIT extends HealingContract {
    @Override
    String router() {
        return "smg";
    }
}
