/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.Futures;

/** The ways a call takes: what holds for one must hold for all. */
public enum Way {
    WAITING,
    EVENT_LOOP,
    THREADS;

    public InferenceHttpClientBuilder builder(String url) {
        return InferenceHttpClient.builder()
                .baseUrl(url)
                .eventLoops(1)
                .transport(this == THREADS ? TransportKind.THREADS : TransportKind.EVENT_LOOP);
    }

    public GenerateResponse generate(InferenceHttpClient client, GenerateRequest request) {
        return this == WAITING ? client.generate(request) : Futures.await(client.generateAsync(request));
    }
}
