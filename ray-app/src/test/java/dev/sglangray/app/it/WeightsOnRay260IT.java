/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;

@OnCluster(ray = PythonEnvironment.NEWEST_RAY)
class WeightsOnRay260IT extends WeightsContract {}
