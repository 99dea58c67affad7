/* SPDX-License-Identifier: Apache-2.0 */
/**
 * RLinf's grammar of ranks, such as {@code 0-3:0,1} and {@code all}: parsing, expansion and printing. Pure text and numbers.
 */
@NullMarked
package dev.sglangray.placement.rank;

import org.jspecify.annotations.NullMarked;
