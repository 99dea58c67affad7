/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Streamed answers: server-sent events, and their delivery to a subscriber or an iterator with back pressure.
 */
@NullMarked
package dev.sglangray.client.internal.stream;

import org.jspecify.annotations.NullMarked;
