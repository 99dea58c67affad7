/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The composed tree: nodes with parents and positions, merging, Python's text of values.
 */
@NullMarked
package dev.sglangray.config.tree;

import org.jspecify.annotations.NullMarked;
