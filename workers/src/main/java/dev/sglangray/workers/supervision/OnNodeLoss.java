/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/** What becomes of the engines of a node that is gone. */
public enum OnNodeLoss {
    /** They start elsewhere where there is room; else they wait. */
    REPLAN,
    /** They wait for their node. */
    WAIT
}
