/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of the fleet's page: what it serves, and what a browser shows. */
@NullMarked
package dev.sglangray.app.dashboard;

import org.jspecify.annotations.NullMarked;
