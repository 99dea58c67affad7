/* SPDX-License-Identifier: Apache-2.0 */
/** The whole protocol of a fleet under one seeded scheduler, without Ray, threads or clocks of its own. */
@NullMarked
package dev.sglangray.workers.simulation;

import org.jspecify.annotations.NullMarked;
