/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.MapNode;
import java.util.ArrayList;
import java.util.List;

/** Overrides for a tree that was not composed of files: there are no config groups to choose from. */
public final class Overrides {
    private Overrides() {}

    /**
     * Applies overrides to a tree, in order.
     *
     * @throws ConfigException with all that do not follow the grammar, else with all that do not fit
     */
    public static void apply(MapNode root, Interpolator interpolator, List<String> lines) {
        List<ConfigProblem> problems = new ArrayList<>();
        List<ConfigOverride> parsed = OverrideParser.parseAll(lines, problems::addAll);
        ConfigException.throwIfErrors(problems);
        ConfigException.throwIfErrors(new OverrideApplier(root, interpolator).apply(parsed));
    }
}
