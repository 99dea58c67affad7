/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.app.keeper;

import org.jspecify.annotations.NullMarked;
