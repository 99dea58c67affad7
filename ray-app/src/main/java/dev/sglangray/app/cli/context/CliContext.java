/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.cli.show.Console;
import java.util.Map;

/**
 * What every command is given.
 *
 * @param console where results and messages go
 * @param interrupts what a signal did
 * @param launcher what the start script found
 * @param environment the variables of the process
 */
public record CliContext(
        Console console, SignalHandlers interrupts, Launcher launcher, Map<String, String> environment) {}
