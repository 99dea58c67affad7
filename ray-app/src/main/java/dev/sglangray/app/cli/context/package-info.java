/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What all commands share: their options, the connection of a command to its cluster, signals and exit codes. It knows no command.
 */
@NullMarked
package dev.sglangray.app.cli.context;

import org.jspecify.annotations.NullMarked;
