/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.rank;

/** Who says which accelerators of its node an engine uses. */
public enum AcceleratorIds {
    /**
     * Ray: engines reserve their accelerators, and use those that Ray gives them, as many as planned and on the node planned.
     * The default.
     */
    RAY,
    /**
     * The configuration: engines use exactly the accelerators of the plan, as in RLinf, and reserve none in Ray. For clusters
     * whose accelerators are all given out by such configurations; Ray does not keep others off them.
     */
    TRUST_CONFIG
}
