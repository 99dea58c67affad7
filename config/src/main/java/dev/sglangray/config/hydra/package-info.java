/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Hydra's composition: defaults lists, config groups, packages, overrides.
 */
@NullMarked
package dev.sglangray.config.hydra;

import org.jspecify.annotations.NullMarked;
