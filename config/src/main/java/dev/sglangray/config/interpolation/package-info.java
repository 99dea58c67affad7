/* SPDX-License-Identifier: Apache-2.0 */
/**
 * OmegaConf's interpolation grammar and its resolvers.
 */
@NullMarked
package dev.sglangray.config.interpolation;

import org.jspecify.annotations.NullMarked;
