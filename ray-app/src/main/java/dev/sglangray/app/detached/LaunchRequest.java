/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.FleetSelection;
import dev.sglangray.app.LaunchOptions;
import java.util.Map;

/**
 * What an owner launches; travels as JSON.
 *
 * @param configuration the section {@code cluster} and the launcher's block, resolved
 * @param selection what in it is the fleet
 * @param options how it is launched
 */
record LaunchRequest(Map<String, Object> configuration, FleetSelection selection, LaunchOptions options) {}
