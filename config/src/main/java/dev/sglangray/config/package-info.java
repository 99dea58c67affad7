/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Configuration as RLinf reads it: Hydra composes YAML files, OmegaConf interpolates them, and typed records check
 * them. {@link dev.sglangray.config.ConfigLoader} is the door. Loading a configuration never runs anything.
 */
@NullMarked
package dev.sglangray.config;

import org.jspecify.annotations.NullMarked;
