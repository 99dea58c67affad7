/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ChatCompletionTest {
    private static final String ANSWER = """
            {"id": "c1", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message":
             {"role": "assistant", "content": null, "tool_calls": [{"id": "t"}]}, "finish_reason": "tool_calls",
             "matched_stop": 2}, {"index": 1, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
             "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4, "reasoning_tokens": 0}}
            """;

    @AutoClose
    private final MockWebServer server = new MockWebServer();

    @AutoClose
    private InferenceHttpClient client;

    @BeforeEach
    void start() throws Exception {
        server.start();
        client = InferenceHttpClient.builder()
                .baseUrl(server.url("/").toString())
                .apiKey("s3cret")
                .build();
    }

    @Test
    void sendsMessagesAndPassesExtraFieldsThrough() throws Exception {
        server.enqueue(Answers.json(ANSWER));

        client.chatCompletion(ChatRequest.builder()
                .system("Be brief.")
                .user("Hello")
                .message(new ChatMessage(
                        "tool", List.of(Map.of("type", "text", "text", "x")), Map.of("tool_call_id", "t")))
                .extra("temperature", 0.0)
                .extra("max_tokens", 32)
                .build());

        RecordedRequest request = server.takeRequest();
        assertThat(request.getRequestLine()).isEqualTo("POST /v1/chat/completions HTTP/1.1");
        assertThat(request.getHeaders().get("Authorization")).isEqualTo("Bearer s3cret");
        assertThat(Answers.sentWithoutId(request))
                .isEqualTo(Map.of(
                        "model",
                        "sglang-model",
                        "messages",
                        List.of(
                                Map.of("role", "system", "content", "Be brief."),
                                Map.of("role", "user", "content", "Hello"),
                                Map.of(
                                        "role",
                                        "tool",
                                        "content",
                                        List.of(Map.of("type", "text", "text", "x")),
                                        "tool_call_id",
                                        "t")),
                        "temperature",
                        0.0,
                        "max_tokens",
                        32));
    }

    @Test
    void readsChoicesAndKeepsUnknownFields() {
        server.enqueue(Answers.json(ANSWER));

        ChatResponse response = client.chatCompletion(
                ChatRequest.builder().model("m").user("Hello").build());

        assertThat(response.id()).isEqualTo("c1");
        assertThat(response.extra()).isEqualTo(Map.of("object", "chat.completion"));
        assertThat(response.usage()).isEqualTo(new Usage(3, 1, 4, Map.of("reasoning_tokens", 0)));
        ChatChoice first = response.choices().get(0);
        assertThat(first.finishReason()).contains("tool_calls");
        assertThat(first.message().content()).isNull();
        assertThat(first.message().extra()).isEqualTo(Map.of("tool_calls", List.of(Map.of("id", "t"))));
        assertThat(first.extra()).isEqualTo(Map.of("matched_stop", 2));
        assertThat(response.choices().get(1).message().text()).isEqualTo("Hi");
        assertThat(response.text()).isEmpty();
    }

    @Test
    void refusesRequestsThatCannotMeanAnything() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ChatRequest.builder().build())
                .withMessageContaining("message");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        ChatRequest.builder().user("x").extra("model", "y").build())
                .withMessageContaining("model");
    }
}
