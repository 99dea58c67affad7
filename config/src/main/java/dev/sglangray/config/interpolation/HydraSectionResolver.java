/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Hydra's resolver {@code hydra}, as in {@code ${hydra:runtime.cwd}}: what Hydra knows of the run. */
final class HydraSectionResolver {
    private HydraSectionResolver() {}

    static @Nullable Object get(MapNode section, CallSite site, List<@Nullable Object> arguments) {
        BuiltinResolvers.arity("hydra", arguments, 1, 1);
        String path = BuiltinResolvers.text("hydra", arguments.get(0));
        // One dot: relative to the section, whatever stands around it.
        Node found = site.evaluation().select(section, "." + path, false);
        if (found == null) {
            throw new ResolutionException(
                    "there is no '" + path + "' in Hydra's section",
                    NearestName.didYouMean(
                            path,
                            section.entries().keySet().stream()
                                    .map(PythonText::str)
                                    .toList()));
        }
        if (found instanceof ValueNode value && value.isMissing()) {
            throw new ResolutionException("'hydra." + path + "' has a value only in a run of Hydra's own");
        }
        return Evaluation.value(found);
    }
}
