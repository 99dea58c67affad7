/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/** How it is found out that a running process still does its work. */
public enum ProbeKind {
    /** The engine generates one token, unless it produced something anyway; a router answers {@code /health}. */
    GENERATE,
    /** {@code /health} is answered with 200. */
    HEALTH,
    /** Not at all: only the end of the process counts. */
    NONE
}
