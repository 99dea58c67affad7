/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/** Clients for tests. */
public final class Clients {
    private Clients() {}

    /** With one event loop, so that calls share connections. */
    public static InferenceHttpClientBuilder of(String url) {
        return InferenceHttpClient.builder().baseUrl(url).eventLoops(1);
    }
}
