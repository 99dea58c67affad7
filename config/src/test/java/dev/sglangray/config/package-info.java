/* SPDX-License-Identifier: Apache-2.0 */
@NullMarked
package dev.sglangray.config;

import org.jspecify.annotations.NullMarked;
