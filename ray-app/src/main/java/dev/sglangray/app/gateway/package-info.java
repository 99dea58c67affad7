/* SPDX-License-Identifier: Apache-2.0 */
/** The gateway: a small Python actor through which Python drivers call the groups of a fleet. */
@NullMarked
package dev.sglangray.app.gateway;

import org.jspecify.annotations.NullMarked;
