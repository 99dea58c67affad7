/* SPDX-License-Identifier: Apache-2.0 */
/** The launcher: from a configuration and a cluster to a running fleet. */
@NullMarked
package dev.sglangray.app;

import org.jspecify.annotations.NullMarked;
