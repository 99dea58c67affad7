/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import org.jspecify.annotations.Nullable;

/**
 * How a supervised child ended: by itself with a code, or by a signal. Both are null when that is unknown, because the
 * supervisor itself was killed.
 *
 * @param code the exit code, 0 to 255, or null
 * @param signal the signal's name, such as {@code SIGKILL}, or null
 * @param cause the end of another process of an engine that led to this one, in words, or null
 */
public record ProcessExit(
        @Nullable Integer code,
        @Nullable String signal,
        @Nullable String cause) {
    private static final String OUT_OF_MEMORY = " (often the kernel's out-of-memory killer)";

    /** Without a cause. */
    public ProcessExit(@Nullable Integer code, @Nullable String signal) {
        this(code, signal, null);
    }

    /** Words for a person: {@code exit code 1}, {@code killed by SIGKILL}. */
    public String describe() {
        if (cause != null) {
            // What became of the first process is only what followed from it.
            return cause + (cause.endsWith("SIGKILL") ? OUT_OF_MEMORY : "");
        }
        if (signal != null) {
            return "killed by " + signal + ("SIGKILL".equals(signal) ? OUT_OF_MEMORY : "");
        }
        return code == null ? "ended in an unknown way (its supervisor was killed)" : "exit code " + code;
    }
}
