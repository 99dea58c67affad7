/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The Ray actors: thin shells that take calls from Ray, hand them to an event loop, and connect it with Ray and HTTP. Decisions live in
 * {@code engine}, {@code registry} and {@code supervision}.
 */
@NullMarked
package dev.sglangray.workers.actor;

import org.jspecify.annotations.NullMarked;
