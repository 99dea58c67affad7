/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A server as the router lists it.
 *
 * @param id the router's id of it
 * @param url its base URL
 * @param workerType {@code regular}, {@code prefill} or {@code decode}
 * @param modelId the model that the router found there, or null
 * @param healthy whether the router sends requests to it
 */
public record RegisteredServer(
        String id, String url, String workerType, @Nullable String modelId, boolean healthy) {}
