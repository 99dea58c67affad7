/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

/** How bad a {@link ConfigProblem} is. */
public enum Severity {
    /** The configuration cannot be used. */
    ERROR,
    /** The configuration can be used, but not all of it means what it seems to mean. */
    WARNING
}
