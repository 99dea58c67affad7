/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/** A configuration cannot be used. Carries every problem that was found, not only the first. */
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<ConfigProblem> problems;

    /**
     * Several problems.
     *
     * @param problems what is wrong, in the order found; at least one
     */
    public ConfigException(Collection<ConfigProblem> problems) {
        super(text(problems));
        this.problems = List.copyOf(problems);
    }

    /** A single problem. */
    public ConfigException(ConfigProblem problem) {
        this(List.of(problem));
    }

    /** Throws if there is an error among the problems; does nothing if all are warnings or there are none. */
    public static void throwIfErrors(Collection<ConfigProblem> problems) {
        if (problems.stream().anyMatch(p -> p.severity() == Severity.ERROR)) {
            throw new ConfigException(problems);
        }
    }

    /** What is wrong, in the order found. */
    public List<ConfigProblem> problems() {
        return problems;
    }

    /** The text for people, one paragraph a problem. */
    public String render() {
        return text(problems);
    }

    private static String text(Collection<ConfigProblem> problems) {
        return problems.stream().map(ConfigProblem::render).collect(Collectors.joining("\n"));
    }
}
