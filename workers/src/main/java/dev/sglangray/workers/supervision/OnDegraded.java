/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/** What a fleet does that has lost an engine for good. */
public enum OnDegraded {
    /** Serves on with the others. */
    CONTINUE,
    /** Counts as lost, so that its owner ends it. */
    FAIL
}
