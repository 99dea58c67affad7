/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the packages of this module share: the exception for placements that cannot be, and helpers for its texts. The packages below
 * read from left to right: {@code rank}, {@code cluster}, {@code strategy}, {@code plan}, {@code show}; only {@code ray} talks to Ray.
 */
@NullMarked
package dev.sglangray.placement;

import org.jspecify.annotations.NullMarked;
