/* SPDX-License-Identifier: Apache-2.0 */
/** Tests of the looks at a fleet; the fake fleet is for others too. */
@NullMarked
package dev.sglangray.app.monitor;

import org.jspecify.annotations.NullMarked;
