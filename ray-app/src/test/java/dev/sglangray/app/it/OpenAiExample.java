/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.completions.CompletionCreateParams;
import java.util.List;
import java.util.Map;

/** The example of {@code docs/client.md} for OpenAI's own Java client, which is also what tests it. */
final class OpenAiExample {
    private OpenAiExample() {}

    // snippet: openai-java
    static List<String> run(String routerUrl) {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(routerUrl + "/v1")
                .apiKey("none") // or the fleet's
                .build();
        String model = client.models().list().data().get(0).id();

        ChatCompletionCreateParams hello = ChatCompletionCreateParams.builder()
                .model(model)
                .addUserMessage("Hello")
                .temperature(0)
                .maxCompletionTokens(8)
                .build();
        String answer = client.chat()
                .completions()
                .create(hello)
                .choices()
                .get(0)
                .message()
                .content()
                .orElse("");

        StringBuilder streamed = new StringBuilder();
        try (StreamResponse<ChatCompletionChunk> events =
                client.chat().completions().createStreaming(hello)) {
            events.stream()
                    .flatMap(event -> event.choices().stream())
                    .forEach(choice -> choice.delta().content().ifPresent(streamed::append));
        }

        String continued = client.completions()
                .create(CompletionCreateParams.builder()
                        .model(model)
                        .prompt("Hello")
                        .temperature(0)
                        .maxTokens(8)
                        .build())
                .choices()
                .get(0)
                .text();

        FunctionDefinition weather = FunctionDefinition.builder()
                .name("weather")
                .parameters(FunctionParameters.builder()
                        .putAdditionalProperty("type", JsonValue.from("object"))
                        .putAdditionalProperty(
                                "properties", JsonValue.from(Map.of("city", Map.of("enum", List.of("Paris")))))
                        .putAdditionalProperty("required", JsonValue.from(List.of("city")))
                        .build())
                .build();
        ChatCompletionMessageFunctionToolCall.Function call = client.chat()
                .completions()
                .create(hello.toBuilder()
                        .maxCompletionTokens(100)
                        .addFunctionTool(weather)
                        .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                        .build())
                .choices()
                .get(0)
                .message()
                .toolCalls()
                .orElseThrow()
                .get(0)
                .asFunction()
                .function();
        client.close();
        return List.of(answer, streamed.toString(), continued, call.name() + " " + call.arguments());
    }
    // end of snippet
}
