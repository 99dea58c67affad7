/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads changes of a router's arguments as overrides of a block that has them all. Stateless. */
final class RouterChanges {
    /** Stands for a value that only the router's worker knows. */
    private static final String UNCHANGED = "(as it is)";

    private RouterChanges() {}

    /**
     * The changes by argument's name; null where the router's own default is wanted.
     *
     * @param lines overrides in Hydra's grammar
     * @throws ConfigException that lists every fault of the changes
     */
    static Map<String, Object> read(List<String> lines, ArgumentSchemas.Found known) {
        Map<String, Object> all = new LinkedHashMap<>();
        known.schema().fields().keySet().forEach(name -> all.put(name, UNCHANGED));
        Config changed = Config.of(all, lines);
        Map<String, Object> changes = new LinkedHashMap<>();
        all.keySet().stream().filter(name -> !changed.has(name)).forEach(name -> changes.put(name, null));
        for (String name : changed.keys()) {
            Object value = changed.require(name).toJava();
            if (!UNCHANGED.equals(value)) {
                changes.put(name, value);
            }
        }
        List<ConfigProblem> problems = known.check(changed).stream()
                .filter(problem -> changes.containsKey(problem.key()))
                .toList();
        ConfigException.throwIfErrors(problems);
        return changes;
    }
}
