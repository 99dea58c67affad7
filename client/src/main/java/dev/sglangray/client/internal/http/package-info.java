/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a call and the transport share: the call, its answer, failures in words, options. It opens no connection.
 */
@NullMarked
package dev.sglangray.client.internal.http;

import org.jspecify.annotations.NullMarked;
