/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which engines may get requests: the one registry of a fleet, the loop that makes the router list those and no others, and the
 * monitors that notice dead engines. It runs on the router worker's event loop and reaches the world through ports; it knows
 * nothing of Ray, HTTP or threads.
 */
@NullMarked
package dev.sglangray.workers.registry;

import org.jspecify.annotations.NullMarked;
