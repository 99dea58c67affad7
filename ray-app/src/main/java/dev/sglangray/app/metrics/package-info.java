/* SPDX-License-Identifier: Apache-2.0 */
/** What a fleet's owner serves over HTTP: metrics, health, service discovery. It looks at the fleet and changes nothing. */
@NullMarked
package dev.sglangray.app.metrics;

import org.jspecify.annotations.NullMarked;
