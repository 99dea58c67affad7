/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Writes JSON schemas of the configuration for editors. It is generated from what the other packages read, so that both say the same.
 */
@NullMarked
package dev.sglangray.config.schema;

import org.jspecify.annotations.NullMarked;
