/* SPDX-License-Identifier: Apache-2.0 */
/** OpenTelemetry traces of what a fleet's owner sees: launches, changes of size, recoveries, updates. It changes nothing. */
@NullMarked
package dev.sglangray.app.tracing;

import org.jspecify.annotations.NullMarked;
