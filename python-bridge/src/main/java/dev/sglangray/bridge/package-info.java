/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.bridge;

import org.jspecify.annotations.NullMarked;
