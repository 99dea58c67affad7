/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Reading and writing of messages as JSON, where Jackson's own binding is too slow or too eager. It knows no HTTP.
 */
@NullMarked
package dev.sglangray.client.internal.json;

import org.jspecify.annotations.NullMarked;
