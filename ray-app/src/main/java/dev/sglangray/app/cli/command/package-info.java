/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The commands of {@code sglang-ray}, one class each. A command reads its options, calls the library, and shows what came of it.
 */
@NullMarked
package dev.sglangray.app.cli.command;

import org.jspecify.annotations.NullMarked;
