/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The router's side: its process kept running, its arguments and their change, and its control API. It knows nothing of Ray.
 */
@NullMarked
package dev.sglangray.workers.router;

import org.jspecify.annotations.NullMarked;
