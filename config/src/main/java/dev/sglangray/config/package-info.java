/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Configuration as RLinf reads it: Hydra composes YAML files, OmegaConf interpolates them, and typed records check them.
 * {@link dev.sglangray.config.ConfigLoader} is the entry, and loading a configuration never runs anything. The typed records themselves
 * live in the packages below this one.
 */
@NullMarked
package dev.sglangray.config;

import org.jspecify.annotations.NullMarked;
