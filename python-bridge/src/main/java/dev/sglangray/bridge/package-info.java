/* SPDX-License-Identifier: Apache-2.0 */
/**
 * All that crosses from the JVM to Python: child processes, forks and their supervision, ports, environments, log tails, argument schemas. It
 * knows nothing of Ray.
 */
@NullMarked
package dev.sglangray.bridge;

import org.jspecify.annotations.NullMarked;
