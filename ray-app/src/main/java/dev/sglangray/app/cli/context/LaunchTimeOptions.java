/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.GroupOptions;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Option;

/** How long the steps of a launch may take. */
public final class LaunchTimeOptions {
    @Option(
            names = {"--reserve-timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "300",
            description = "How long Ray may take to set the accelerators aside. Default: ${DEFAULT-VALUE}")
    private Duration reserve = Duration.ofMinutes(5);

    @Option(
            names = {"--health-timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "900",
            description = "How long an engine may take from its start to healthy. Default: ${DEFAULT-VALUE}")
    private Duration health = Duration.ofMinutes(15);

    public Duration reserveDeadline() {
        return reserve;
    }

    public Duration healthDeadline() {
        return health;
    }

    public GroupOptions groupOptions(RaySession session) {
        return GroupOptions.defaults()
                .withJavaJars(session.workerJarUri().map(List::of).orElse(List.of()))
                .withServerHealthTimeout(healthDeadline());
    }
}
