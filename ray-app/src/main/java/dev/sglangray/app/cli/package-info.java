/* SPDX-License-Identifier: Apache-2.0 */
/** The command line {@code sglang-ray}. */
@NullMarked
package dev.sglangray.app.cli;

import org.jspecify.annotations.NullMarked;
