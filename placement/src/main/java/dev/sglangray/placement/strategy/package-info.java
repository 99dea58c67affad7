/* SPDX-License-Identifier: Apache-2.0 */
/**
 * RLinf's placement strategies: from a component's configuration to one placement for each process. They choose nodes and accelerators,
 * and nothing of bundles or Ray.
 */
@NullMarked
package dev.sglangray.placement.strategy;

import org.jspecify.annotations.NullMarked;
