/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.tree.Node;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A loaded configuration.
 *
 * @param path its path from the top of the folder
 * @param tree its content without the defaults list; shared, so copy before changing it
 * @param header the package that its first lines ask for; null when they do not
 * @param defaults its defaults list; shared, so copy the items before use
 */
record ConfigFile(String path, Node tree, @Nullable String header, List<DefaultItem> defaults) {}
