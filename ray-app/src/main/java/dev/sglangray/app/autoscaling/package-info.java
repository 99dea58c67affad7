/* SPDX-License-Identifier: Apache-2.0 */
/** Engines that follow the load: decides how many engines each pool is to have, and has that carried out. */
@NullMarked
package dev.sglangray.app.autoscaling;

import org.jspecify.annotations.NullMarked;
