/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.FleetSelection;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.SourcePosition;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What an owner launches; travels as JSON.
 *
 * @param configuration the section {@code cluster} and the launcher's block, resolved
 * @param origins where each value of it was written
 * @param selection what in it is the fleet
 * @param options how it is launched
 */
record LaunchRequest(
        Map<String, Object> configuration, List<Origin> origins, FleetSelection selection, LaunchOptions options) {
    /**
     * Where a value was written. Not a map by path: what stands below the name of a secret is taken for one.
     *
     * @param path the value's path, such as {@code a.b[0]}
     * @param at the place
     */
    record Origin(String path, SourcePosition at) {}

    /** The fleet that it describes. */
    FleetSpec spec() {
        Map<String, SourcePosition> places =
                origins.stream().collect(Collectors.toMap(Origin::path, Origin::at, (first, second) -> second));
        return FleetSpec.of(
                Config.of(configuration, path -> places.getOrDefault(path, SourcePosition.PROGRAM)), selection);
    }
}
