/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.FleetSelection;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.SourcePosition;
import java.util.Map;

/**
 * What an owner launches; travels as JSON.
 *
 * @param configuration the section {@code cluster} and the launcher's block, resolved
 * @param origins where each value of it was written, by its path
 * @param selection what in it is the fleet
 * @param options how it is launched
 */
record LaunchRequest(
        Map<String, Object> configuration,
        Map<String, SourcePosition> origins,
        FleetSelection selection,
        LaunchOptions options) {
    /** The fleet that it describes. */
    FleetSpec spec() {
        return FleetSpec.of(
                Config.of(configuration, path -> origins.getOrDefault(path, SourcePosition.PROGRAM)), selection);
    }
}
