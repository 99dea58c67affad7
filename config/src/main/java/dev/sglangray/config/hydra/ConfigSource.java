/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import java.util.List;

/** A place where configurations are looked for. */
interface ConfigSource {
    /** Whether there is a configuration at a path. */
    boolean hasConfig(String path);

    /** Whether there is a config group at a path. */
    boolean hasGroup(String path);

    /** Loads a configuration that is there. */
    ConfigFile load(String path);

    /** Names of the configurations in a group, sorted. */
    List<String> options(String group);

    /** The place, for people. */
    String describe();
}
