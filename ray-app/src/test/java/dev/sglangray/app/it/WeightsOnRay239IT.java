/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;

@OnCluster(ray = PythonEnvironment.LOWEST_RAY)
class WeightsOnRay239IT extends WeightsContract {}
