/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.workers;

import org.jspecify.annotations.NullMarked;
