/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

/** What runs on a test cluster when it has started. */
public enum Services {
    /** Nothing: bare machines, for programs that start Ray themselves. */
    NONE,
    /** Ray on every node. */
    RAY,
    /** Ray on every node and the dashboard on the head, which {@code ray job submit} needs. */
    RAY_AND_DASHBOARD
}
