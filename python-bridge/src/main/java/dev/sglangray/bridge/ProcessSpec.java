/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a supervised child is to be: immutable, safe to share between threads.
 *
 * @param name a short name for thread names and messages, such as {@code SGLangServerGroup:0}
 * @param supervisorPython the Python (3.8 or later) that runs the supervisor; nothing but its standard library is used
 * @param supervisorScript the extracted {@code sglang_ray/supervisor.py}
 * @param command program and arguments; secrets do not belong here, because process lists show them
 * @param environment the whole environment of the child, in this order; nothing is inherited
 * @param workingDirectory where the child starts, or null for the JVM's own
 * @param stdin text for the child's standard input, or null for an empty input
 * @param logFile where standard output and error of the child go (appended; its folder is made)
 * @param grace time from SIGTERM to SIGKILL when the child is closed without saying how long (when the JVM dies it is 2 s)
 */
public record ProcessSpec(
        String name,
        String supervisorPython,
        Path supervisorScript,
        List<String> command,
        Map<String, String> environment,
        @Nullable Path workingDirectory,
        @Nullable String stdin,
        Path logFile,
        Duration grace) {

    /** How long a child has between SIGTERM and SIGKILL unless a spec says otherwise. RLinf's value. */
    public static final Duration DEFAULT_GRACE = Duration.ofSeconds(10);

    /** Checks and copies; an empty command or a negative grace is an {@link IllegalArgumentException}. */
    public ProcessSpec {
        command = List.copyOf(command);
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
        if (command.isEmpty()) {
            throw new IllegalArgumentException("The command of process '" + name + "' is empty.");
        }
        if (grace.isNegative()) {
            throw new IllegalArgumentException("The grace of process '" + name + "' is negative: " + grace);
        }
    }

    /** Names and places only: the input and the environment may hold secrets. */
    @Override
    public String toString() {
        return "ProcessSpec[name=" + name + ", command=" + command + ", logFile=" + logFile + "]";
    }
}
