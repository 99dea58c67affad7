/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.placement.ray;

import org.jspecify.annotations.NullMarked;
