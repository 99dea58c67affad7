/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import java.util.List;

/** What to do with problems after which the work can go on: stop at once, or collect them and tell them together. */
@FunctionalInterface
public interface ProblemSink {
    /** Throws a {@link ConfigException} when there is an error among the problems. */
    ProblemSink STRICT = ConfigException::throwIfErrors;

    /**
     * Takes problems.
     *
     * @throws ConfigException when the work must not go on
     */
    void report(List<ConfigProblem> problems);
}
