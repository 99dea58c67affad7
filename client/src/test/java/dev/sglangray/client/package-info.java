/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.client;

import org.jspecify.annotations.NullMarked;
