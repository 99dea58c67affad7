/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.show.Console;
import dev.sglangray.bridge.NodeFilesException;
import dev.sglangray.bridge.PortUnavailableException;
import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.strategy.PackedPlacementStrategy;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

class FailureHandlerTest {
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @Test
    void aBusyClusterIsAFailedLaunchAndAnImpossibleOneAWrongConfiguration() {
        assertThat(code(PlacementException.builder("held by others").busy(true).build()))
                .isEqualTo(ExitCode.FAILED);
        assertThat(code(PlacementException.of("too large"))).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void aNodeThatCannotDoItIsNoDefect() {
        assertThat(code(new NodeFilesException("it belongs to user 65534"))).isEqualTo(ExitCode.ENVIRONMENT);
        assertThat(code(new PortUnavailableException("all ports are taken"))).isEqualTo(ExitCode.ENVIRONMENT);
    }

    @Test
    void aHeadOfOurOwnGetsItsAcceleratorsByAnOption() {
        NodeSnapshot node = NodeSnapshot.of("n", "10.0.0.1", 0, AcceleratorType.NO_ACCEL, "", 0);
        Cluster none = Cluster.of(
                ClusterConfig.from(Config.parse("cluster: {num_nodes: 1, component_placement: {rollout: all}}")),
                new ClusterSnapshot(List.of(node), "n"));
        PlacementException refusal = catchThrowableOfType(
                PlacementException.class,
                () -> PackedPlacementStrategy.of(0, 0, 1, List.of()).getPlacement(none, true));

        assertThat(code(refusal, "--local")).isEqualTo(ExitCode.USAGE);
        assertThat(said.toString(StandardCharsets.UTF_8))
                .contains("--accelerators N")
                .doesNotContain("ray start");
        assertThat(code(refusal)).isEqualTo(ExitCode.USAGE);
        assertThat(said.toString(StandardCharsets.UTF_8)).contains("ray start --num-gpus=N");
    }

    private int code(Exception failure, String... words) {
        PrintStream stream = new PrintStream(said, true, StandardCharsets.UTF_8);
        CommandLine line = new CommandLine(new Launch());
        return new FailureHandler(new Console(stream, stream, false, false))
                .handleExecutionException(failure, line, line.parseArgs(words));
    }

    @Command
    @SuppressWarnings("UnusedVariable") // the option is there to be matched
    private static final class Launch {
        @Option(names = "--local")
        private boolean local;
    }
}
