/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What passes between a fleet's workers, its router and its trainers: messages, and the words that they use. Plain values; knows
 * nothing of Ray.
 */
@NullMarked
package dev.sglangray.workers.protocol;

import org.jspecify.annotations.NullMarked;
