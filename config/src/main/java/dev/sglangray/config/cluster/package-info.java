/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The section {@code cluster} as typed records: nodes, node groups, hardware and component placement as written. What it means for
 * real nodes is worked out in the placement module.
 */
@NullMarked
package dev.sglangray.config.cluster;

import org.jspecify.annotations.NullMarked;
