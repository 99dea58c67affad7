/* SPDX-License-Identifier: Apache-2.0 */
/**
 * YAML text to tree, with PyYAML's and OmegaConf's types of scalars.
 */
@NullMarked
package dev.sglangray.config.yaml;

import org.jspecify.annotations.NullMarked;
