/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The adapter between placement and Ray: reads the cluster, makes and removes placement groups, and explains what they wait for. All other
 * packages of this module work without Ray.
 */
@NullMarked
package dev.sglangray.placement.ray;

import org.jspecify.annotations.NullMarked;
