/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One update of a fleet's weights, from the engines' readiness to their return. It runs on an event loop and reaches the fleet
 * through a port; it knows nothing of Ray or threads.
 */
@NullMarked
package dev.sglangray.workers.update;

import org.jspecify.annotations.NullMarked;
