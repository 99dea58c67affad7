/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.app;

import org.jspecify.annotations.NullMarked;
