/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The example of {@code docs/client.md}; {@link ClientDocumentTest} runs it and checks that the document repeats it. */
final class ClientExample {
    private ClientExample() {}

    // snippet: example
    static String run(String routerUrl) {
        try (InferenceHttpClient client =
                InferenceHttpClient.builder().baseUrl(routerUrl).maxRetries(2).build()) {
            GenerateResponse answer = client.generate(GenerateRequest.builder()
                    .text("The capital of France is")
                    .samplingParam("temperature", 0.0)
                    .samplingParam("max_new_tokens", 32)
                    .build());

            ChatResponse reply = client.chatCompletion(ChatRequest.builder()
                    .user("Hello")
                    .extra("temperature", 0.0)
                    .extra("max_tokens", 32)
                    .build());

            return answer.text() + " / " + reply.text();
        }
    }

    static List<String> fanOut(InferenceHttpClient client, List<String> prompts) {
        List<CompletableFuture<GenerateResponse>> pending = prompts.stream()
                .map(prompt -> client.generateAsync(
                        GenerateRequest.builder().text(prompt).build()))
                .toList();
        return pending.stream().map(future -> future.join().text()).toList();
    }
    // end of snippet

    // snippet: stream
    static String stream(InferenceHttpClient client, String prompt) {
        ChatRequest request = ChatRequest.builder().user(prompt).build();
        StringBuilder text = new StringBuilder();
        try (StreamIterator<ChatChunk> events =
                client.chatCompletionStream(request).open()) {
            for (ChatChunk event : events) {
                text.append(event.text());
            }
        }
        return text.toString();
    }
    // end of snippet

    // snippet: continued
    static List<Integer> continued(InferenceHttpClient client, List<Integer> prompt) {
        ContinuedGeneration answer = client.generateContinued(
                GenerateRequest.builder()
                        .inputIds(prompt)
                        .samplingParam("max_new_tokens", 512)
                        .samplingParam("temperature", 0.0)
                        .build(),
                2);
        return answer.outputIds();
    }
    // end of snippet
}
