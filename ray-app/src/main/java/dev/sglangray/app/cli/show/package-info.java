/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the commands show: the console, progress, reports of a fleet and of problems, trees as text and JSON. It starts and ends
 * nothing.
 */
@NullMarked
package dev.sglangray.app.cli.show;

import org.jspecify.annotations.NullMarked;
