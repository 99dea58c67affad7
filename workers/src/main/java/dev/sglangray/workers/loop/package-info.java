/* SPDX-License-Identifier: Apache-2.0 */
/**
 * One thread of decisions: an event loop, and what code that runs on one needs to wait without blocking it. It knows nothing of
 * engines, routers or Ray.
 */
@NullMarked
package dev.sglangray.workers.loop;

import org.jspecify.annotations.NullMarked;
