/* SPDX-License-Identifier: Apache-2.0 */
/** Fleets that outlive the command that launched them. */
@NullMarked
package dev.sglangray.app.detached;

import org.jspecify.annotations.NullMarked;
