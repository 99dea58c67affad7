/* SPDX-License-Identifier: Apache-2.0 */
/** What a fleet's owner serves to programs over HTTP: metrics, health, service discovery. */
@NullMarked
package dev.sglangray.app.metrics;

import org.jspecify.annotations.NullMarked;
