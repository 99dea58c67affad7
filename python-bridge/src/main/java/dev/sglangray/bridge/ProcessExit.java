/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import org.jspecify.annotations.Nullable;

/**
 * How a supervised child ended: by itself with a code, or by a signal. Both are null when nobody can tell, because the
 * supervisor itself was killed.
 *
 * @param code the exit code, 0 to 255, or null
 * @param signal the signal's name, such as {@code SIGKILL}, or null
 */
public record ProcessExit(@Nullable Integer code, @Nullable String signal) {

    /** Words for a person: {@code exit code 1}, {@code killed by SIGKILL}. */
    public String describe() {
        if (signal != null) {
            return "killed by " + signal
                    + ("SIGKILL".equals(signal) ? " (often the kernel's out-of-memory killer)" : "");
        }
        return code == null ? "ended in an unknown way (its supervisor was killed)" : "exit code " + code;
    }
}
