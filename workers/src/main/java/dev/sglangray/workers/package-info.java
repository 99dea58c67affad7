/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The public face for Java drivers: the groups of engines and routers, their options, futures and exceptions, and the control of a
 * fleet's weights. It creates the actors and calls them; what runs inside the actors lives in the packages below, which do not know
 * this one.
 */
@NullMarked
package dev.sglangray.workers;

import org.jspecify.annotations.NullMarked;
