/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of the metrics. */
@NullMarked
package dev.sglangray.app.metrics;

import org.jspecify.annotations.NullMarked;
