/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.bridge.NodeFilesException;
import dev.sglangray.bridge.PortUnavailableException;
import dev.sglangray.placement.PlacementException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class FailureHandlerTest {
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

    private static int code(Exception failure) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        CommandLine line = new CommandLine(new Nothing());
        return new FailureHandler(new Console(nowhere, nowhere, false))
                .handleExecutionException(failure, line, line.parseArgs());
    }

    @Command
    private static final class Nothing {}
}
