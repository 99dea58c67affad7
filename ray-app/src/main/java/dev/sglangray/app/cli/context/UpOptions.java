/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import java.time.Duration;
import picocli.CommandLine.Option;

/** Which fleet to launch, and how long the steps of the launch may take. */
public final class UpOptions extends ConfigOptions {
    @Option(
            names = {"--reserve-timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "300",
            description = "How long Ray may take to set the accelerators aside. Default: ${DEFAULT-VALUE}")
    void reserveTimeout(Duration timeout) {
        launch.reserveTimeout(timeout);
    }

    @Option(
            names = {"--health-timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "900",
            description = "How long an engine may take from its start to healthy. Default: ${DEFAULT-VALUE}")
    void healthTimeout(Duration timeout) {
        launch.healthTimeout(timeout);
    }
}
