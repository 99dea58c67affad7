/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Problems in a configuration, where they are and how they read.
 */
@NullMarked
package dev.sglangray.config.error;

import org.jspecify.annotations.NullMarked;
