/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

/**
 * Ray's word for how a placement group's bundles lie. The nodes of all processes follow from the configuration, so a
 * strategy moves nothing: the strict ones are promises, which are checked when the plan is made.
 */
public enum GroupStrategy {
    /** No promise; the default. */
    PACK,
    /** All bundles are on one node. */
    STRICT_PACK,
    /** No promise. */
    SPREAD,
    /** No two bundles are on one node. */
    STRICT_SPREAD
}
