/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Checks that configurations set only keys that Hydra has in its section. */
final class HydraSection {
    private HydraSection() {}

    /**
     * Compares the section with what it may look like. A map of the pattern is closed unless it is empty.
     *
     * @return a problem for each key that Hydra does not have
     */
    static List<ConfigProblem> check(@Nullable Node section, Node pattern) {
        List<ConfigProblem> problems = new ArrayList<>();
        if (section != null) {
            compare(section, pattern, problems);
        }
        return problems;
    }

    private static void compare(Node section, Node pattern, List<ConfigProblem> problems) {
        if (!(section instanceof MapNode map)
                || !(pattern instanceof MapNode known)
                || known.entries().isEmpty()) {
            return;
        }
        for (Map.Entry<Object, Node> entry : map.entries().entrySet()) {
            Node allowed = known.get(entry.getKey());
            if (allowed == null) {
                List<String> names =
                        known.entries().keySet().stream().map(PythonText::str).toList();
                problems.add(ConfigProblem.error(
                                entry.getValue().position(), entry.getValue().path(), "is no setting of Hydra's")
                        .withAllowed(names)
                        .withFix(NearestName.didYouMean(PythonText.str(entry.getKey()), names)));
            } else {
                compare(entry.getValue(), allowed, problems);
            }
        }
    }
}
