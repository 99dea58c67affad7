/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The fault matrix on the oldest Ray. Takes long, so it is run by hand. */
@OnCluster(ray = PythonEnvironment.LOWEST_RAY)
@Tag("fault")
@EnabledIfSystemProperty(named = FaultMatrixContract.SWITCH, matches = "true")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class FaultMatrixOnRay239IT extends FaultMatrixContract {}
