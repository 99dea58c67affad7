/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Ray's futures and actor handles, made safe: waiting without a thread for each call, handles by name, failures in words. Used by
 * drivers and by actors alike.
 */
@NullMarked
package dev.sglangray.workers.ray;

import org.jspecify.annotations.NullMarked;
