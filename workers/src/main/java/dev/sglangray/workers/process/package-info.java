/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Starts, watches and ends the process of one engine or router, as a program or by a fork, and waits until it is healthy. It knows nothing of Ray.
 */
@NullMarked
package dev.sglangray.workers.process;

import org.jspecify.annotations.NullMarked;
