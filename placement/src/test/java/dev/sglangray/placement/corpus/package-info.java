/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.placement.corpus;

import org.jspecify.annotations.NullMarked;
