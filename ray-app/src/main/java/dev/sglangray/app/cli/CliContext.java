/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

/**
 * What every command is given.
 *
 * @param console where results and messages go
 * @param interrupts what a signal did
 * @param launcher what the start script found
 */
record CliContext(Console console, Interrupts interrupts, Launcher launcher) {}
