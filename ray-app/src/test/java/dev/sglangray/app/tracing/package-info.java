/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of the traces. */
@NullMarked
package dev.sglangray.app.tracing;

import org.jspecify.annotations.NullMarked;
