/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The plan of a fleet: engines, router, and the bundles of their placement groups, at launch, at growth and after the loss of a node.
 * Pure: the same cluster and configuration give the same plan.
 */
@NullMarked
package dev.sglangray.placement.plan;

import org.jspecify.annotations.NullMarked;
