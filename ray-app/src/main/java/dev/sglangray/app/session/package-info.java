/* SPDX-License-Identifier: Apache-2.0 */
/** The connection to a Ray cluster, and a local head of our own where one is asked for. */
@NullMarked
package dev.sglangray.app.session;

import org.jspecify.annotations.NullMarked;
