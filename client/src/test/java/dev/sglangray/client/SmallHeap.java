/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A program with a small heap: it asks the URL given, for an answer and for a stream, and prints the outcomes. */
final class SmallHeap {
    private SmallHeap() {}

    public static void main(String[] arguments) {
        for (boolean bounded : new boolean[] {true, false}) {
            for (boolean stream : new boolean[] {false, true}) {
                InferenceHttpClientBuilder builder = Clients.of(arguments[0]).abortOnCancel(false);
                if (!bounded) {
                    builder.maxAnswerBytes(1 << 30);
                }
                try (InferenceHttpClient client = builder.build()) {
                    System.out.println(ask(client, stream));
                }
            }
        }
    }

    private static Object ask(InferenceHttpClient client, boolean stream) {
        GenerateRequest request = GenerateRequest.builder().text("x").build();
        try {
            return CompletableFuture.supplyAsync(() -> {
                        if (!stream) {
                            return client.generate(request);
                        }
                        try (StreamIterator<Generation> events =
                                client.generateStream(request).open()) {
                            return events.next();
                        }
                    })
                    .get(60, TimeUnit.SECONDS);
        } catch (Exception e) {
            return String.valueOf(e.getCause());
        }
    }
}
