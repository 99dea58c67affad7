/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A server that another program keeps, and to which a fleet's router sends as long as it is what it must be. Travels as JSON.
 *
 * @param endpoint where it is, with the model that it must serve
 * @param weightVersion the version that its weights must have; null for what the endpoint's {@code updateWeights} says
 */
public record ExternalServer(
        ServerEndpoint endpoint, @Nullable String weightVersion) {}
