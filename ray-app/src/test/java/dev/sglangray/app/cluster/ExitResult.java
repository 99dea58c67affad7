/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.time.Duration;
import java.util.List;

/**
 * How a command ended.
 *
 * @param command its words
 * @param code the exit code; 128 plus the number of the signal that ended it
 * @param stdout all that it wrote there
 * @param stderr all that it wrote there
 * @param duration from its start to its end
 */
public record ExitResult(List<String> command, int code, String stdout, String stderr, Duration duration) {

    /** This result, if the command succeeded.
     *
     * @throws AssertionError if not, with what it wrote
     */
    public ExitResult orFail() {
        if (code != 0) {
            throw new AssertionError("exit code is not 0: " + this);
        }
        return this;
    }

    @Override
    public String toString() {
        return "exit code %d after %d ms: %s%n--- stdout%n%s%n--- stderr%n%s"
                .formatted(code, duration.toMillis(), String.join(" ", command), stdout.strip(), stderr.strip());
    }
}
