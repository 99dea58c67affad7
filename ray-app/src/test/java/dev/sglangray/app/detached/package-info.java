/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.app.detached;

import org.jspecify.annotations.NullMarked;
