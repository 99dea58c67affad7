/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of the command line without a cluster. */
@NullMarked
package dev.sglangray.app.cli;

import org.jspecify.annotations.NullMarked;
