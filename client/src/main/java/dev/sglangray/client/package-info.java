/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A client for one SGLang engine or router: {@link dev.sglangray.client.InferenceHttpClient}. It needs neither Ray nor the
 * other modules.
 *
 * <p>It has the meaning of RLinf's {@code InferenceHTTPClient}: a short connect timeout, no limit on how long a generation
 * may take, proxies bypassed, retries only when asked for. It always speaks HTTP/1.1.
 */
@NullMarked
package dev.sglangray.client;

import org.jspecify.annotations.NullMarked;
