/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/** Which ends of a process are answered with a new start. */
public enum RestartMode {
    /** None, and liveness is not probed either: RLinf's behaviour, but the loss is reported. */
    NEVER,
    /** Every end but exit code 0. */
    ON_FAILURE,
    /** Every end that was not asked for. */
    ALWAYS
}
