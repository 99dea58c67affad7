/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.LaunchException;
import dev.sglangray.app.cli.context.EnvironmentException;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.UsageException;
import dev.sglangray.app.cli.show.Console;
import dev.sglangray.app.cli.show.FleetLostException;
import dev.sglangray.app.cli.show.NoFleetException;
import dev.sglangray.app.session.SessionException;
import dev.sglangray.bridge.NodeFilesException;
import dev.sglangray.bridge.PortUnavailableException;
import dev.sglangray.bridge.PythonException;
import dev.sglangray.client.InferenceException;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.strategy.NoAccelerators;
import dev.sglangray.workers.WorkerException;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/** Turns a failure into words for a person and an exit code. An unforeseen failure is shown with its stack. */
final class FailureHandler implements IExecutionExceptionHandler {
    private static final String LOCAL_ADVICE = "Declare the accelerators of the local head: --accelerators N.";

    private final Console console;

    FailureHandler(Console console) {
        this.console = console;
    }

    @Override
    public int handleExecutionException(Exception failure, CommandLine line, ParseResult result) {
        if (failure instanceof ConfigException config) {
            console.problem(config.render());
            return ExitCode.USAGE;
        }
        if (failure instanceof PlacementException refusal) {
            String message = String.valueOf(failure.getMessage());
            console.fail(isLocal(result) ? NoAccelerators.advising(message, LOCAL_ADVICE) : message);
            return refusal.busy() ? ExitCode.FAILED : ExitCode.USAGE;
        }
        if (failure instanceof UsageException) {
            say(failure);
            return ExitCode.USAGE;
        }
        if (failure instanceof SessionException
                || failure instanceof EnvironmentException
                || failure instanceof NodeFilesException
                || failure instanceof PortUnavailableException
                || failure instanceof PythonException) {
            say(failure);
            return ExitCode.ENVIRONMENT;
        }
        if (failure instanceof FleetLostException) {
            say(failure);
            return ExitCode.LOST;
        }
        if (failure instanceof WorkerException
                || failure instanceof LaunchException
                || failure instanceof NoFleetException
                || failure instanceof InferenceException) {
            say(failure);
            for (Throwable more : failure.getSuppressed()) {
                console.problem("also: " + more.getMessage());
            }
            return ExitCode.FAILED;
        }
        StringWriter stack = new StringWriter();
        failure.printStackTrace(new PrintWriter(stack, true));
        console.fail("unexpected failure, probably a defect of sglang-ray; please report it with this:\n" + stack);
        return ExitCode.FAILED;
    }

    /** Whether the command started the Ray head itself, so that its options say what the head has. */
    private static boolean isLocal(ParseResult result) {
        ParseResult command = result;
        while (command.hasSubcommand()) {
            command = command.subcommand();
        }
        return command.hasMatchedOption("--local");
    }

    private void say(Throwable failure) {
        console.fail(String.valueOf(failure.getMessage()));
    }
}
