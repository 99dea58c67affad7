/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Engines that span nodes: how part 0's worker starts, watches and ends all parts as one process, and what the worker of each
 * further part does. Nothing here knows Ray.
 */
@NullMarked
package dev.sglangray.workers.gang;

import org.jspecify.annotations.NullMarked;
