/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The cluster as placement sees it: nodes with their ranks, node groups with their labels and variables, accelerators by type. Built
 * from a snapshot, immutable, and without any call to Ray.
 */
@NullMarked
package dev.sglangray.placement.cluster;

import org.jspecify.annotations.NullMarked;
