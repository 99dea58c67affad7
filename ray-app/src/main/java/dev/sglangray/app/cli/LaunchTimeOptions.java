/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.GroupOptions;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Option;

/** How long the steps of a launch may take. */
final class LaunchTimeOptions {
    @Option(
            names = {"--reserve-timeout"},
            paramLabel = "SECONDS",
            defaultValue = "300",
            description = "How long Ray may take to set the accelerators aside. Default: ${DEFAULT-VALUE}")
    private long reserveSeconds = 300;

    @Option(
            names = {"--health-timeout"},
            paramLabel = "SECONDS",
            defaultValue = "900",
            description = "How long an engine may take from its start to healthy. Default: ${DEFAULT-VALUE}")
    private long healthSeconds = 900;

    Duration reserveDeadline() {
        return positive("--reserve-timeout", reserveSeconds);
    }

    Duration healthDeadline() {
        return positive("--health-timeout", healthSeconds);
    }

    GroupOptions groupOptions(RaySession session) {
        return GroupOptions.defaults()
                .withJavaJars(session.workerJarUri().map(List::of).orElse(List.of()))
                .withServerHealthTimeout(healthDeadline());
    }

    private static Duration positive(String option, long seconds) {
        if (seconds < 1) {
            throw new UsageException(option + " must be 1 second or more, but is " + seconds);
        }
        return Duration.ofSeconds(seconds);
    }
}
