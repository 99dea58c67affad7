/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import java.util.List;

/** Messages about items of defaults lists. */
final class DefaultsProblems {
    private DefaultsProblems() {}

    static ConfigException of(DefaultItem item, String message) {
        return new ConfigException(ConfigProblem.error(item.position(), "defaults", message));
    }

    /** The item names a configuration that no place has. */
    static ConfigException notFound(DefaultsTree tree, ConfigRepository repository) {
        DefaultItem item = tree.item();
        DefaultsTree parent = tree.parent();
        String within = parent == null ? "" : ", which '" + parent.item().configPath() + "' names";
        String what = item.isPrimary() ? "primary configuration" : "configuration";
        List<String> options = repository.options(item.groupPath());
        String name = item.name() == null ? "" : item.name();
        return new ConfigException(ConfigProblem.error(
                        item.position(),
                        item.isPrimary() ? "" : "defaults",
                        "there is no " + what + " '" + item.configPath() + "'" + within + "; looked in "
                                + repository.describe())
                .withAllowed(options)
                .withFix(NearestName.didYouMean(name, options)));
    }

    /** The item leaves the choice open. */
    static ConfigException notChosen(DefaultItem item, ConfigRepository repository) {
        String key = item.overrideKey();
        return new ConfigException(
                ConfigProblem.error(item.position(), key, "an option of this config group has to be chosen")
                        .withAllowed(repository.options(item.groupPath()))
                        .withFix("choose one with the override " + key + "=OPTION"));
    }
}
