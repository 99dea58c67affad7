/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.sglangray.client.internal.call.Msgpack;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okio.Buffer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Endpoints other than those of the original's client. */
class EndpointsTest {
    @AutoClose
    private final MockWebServer server = new MockWebServer();

    @AutoClose
    private InferenceHttpClient client;

    @BeforeEach
    void start() throws Exception {
        server.start();
        client = InferenceHttpClient.of(server.url("/").toString());
    }

    @Test
    void completions() throws Exception {
        server.enqueue(
                Answers.json("{\"id\":\"c\",\"choices\":[{\"index\":0,\"text\":\" a\",\"finish_reason\":\"stop\"}],"
                        + "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}"));
        CompletionResponse answer = client.completion(CompletionRequest.of("x").with("max_tokens", 2));
        assertThat(answer.text()).isEqualTo(" a");
        assertThat(answer.choices().get(0).finishReason()).contains("stop");
        assertThat(answer.usage().totalTokens()).isEqualTo(3);
        assertThat(Answers.sentWithoutId(server.takeRequest()))
                .isEqualTo(Map.of("model", "sglang-model", "prompt", "x", "max_tokens", 2));
    }

    @Test
    void embeddings() throws Exception {
        server.enqueue(Answers.json("{\"data\":[{\"embedding\":[0.5,1]},{\"embedding\":[2]}],\"model\":\"m\"}"));
        assertThat(client.embeddingsAsync("m", List.of("x", "y")).get().embeddings())
                .containsExactly(List.of(0.5, 1.0), List.of(2.0));
        RecordedRequest request = server.takeRequest();
        assertThat(request.getTarget()).isEqualTo("/v1/embeddings");
        assertThat(Answers.sent(request)).isEqualTo(Map.of("model", "m", "input", List.of("x", "y")));
    }

    @Test
    void structuredOutput() throws Exception {
        server.enqueue(Answers.json(Answers.GENERATED));
        client.generate(GenerateRequest.builder()
                .text("x")
                .jsonSchema(Map.of("type", "object"))
                .build());
        assertThat(Answers.sent(server.takeRequest()))
                .containsEntry("sampling_params", Map.of("json_schema", "{\"type\":\"object\"}"));
    }

    @Test
    void toolsAndTheirCalls() throws Exception {
        server.enqueue(
                Answers.json(
                        "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":"
                                + "[{\"id\":\"t1\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}}]}}]}"));
        ChatResponse answer = client.chatCompletion(ChatRequest.builder()
                .user("x")
                .tool(new Tool("add", "Adds.", Map.of("type", "object")))
                .toolChoice("auto")
                .jsonSchema("s", Map.of("type", "object"))
                .build());
        ToolCall call = answer.choices().get(0).message().toolCalls().get(0);
        assertThat(call.name()).isEqualTo("add");
        assertThat(call.argumentsJson().path("a").asInt()).isEqualTo(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ToolCall(0, "", "f", "{").argumentsJson())
                .withMessageContaining("arguments of f");
        assertThat(Answers.sent(server.takeRequest()))
                .containsEntry("tool_choice", "auto")
                .containsEntry(
                        "tools",
                        List.of(Map.of(
                                "type",
                                "function",
                                "function",
                                Map.of(
                                        "name",
                                        "add",
                                        "description",
                                        "Adds.",
                                        "parameters",
                                        Map.of("type", "object")))));
        assertThat(ChatMessage.tool("t1", "2").toJson()).containsEntry("tool_call_id", "t1");
    }

    @Test
    void whatTrainingAsksOfAnEngine() throws Exception {
        for (int i = 0; i < 8; i++) {
            server.enqueue(Answers.json(""));
        }
        EngineControl control = client.control();
        control.flushCache();
        control.pauseGeneration();
        control.pauseGeneration("retract");
        control.continueGeneration();
        control.releaseMemoryOccupation(List.of("kv_cache"));
        control.resumeMemoryOccupation(List.of());
        control.abortRequest("r");
        control.abortAll();
        for (String expected : List.of(
                "/flush_cache {}",
                "/pause_generation {}",
                "/pause_generation {mode=retract}",
                "/continue_generation {}",
                "/release_memory_occupation {tags=[kv_cache]}",
                "/resume_memory_occupation {}",
                "/abort_request {rid=r}",
                "/abort_request {abort_all=true}")) {
            RecordedRequest request = server.takeRequest();
            assertThat(request.getTarget() + " " + Answers.sent(request)).isEqualTo(expected);
        }
    }

    @Test
    void weightsFromDisk() throws Exception {
        server.enqueue(Answers.json("{\"success\": true, \"message\": \"ok\"}"));
        server.enqueue(Answers.json("{\"success\": false, \"message\": \"no such file\"}"));
        EngineControl control = client.control();
        assertThat(control.updateWeightsFromDisk("/m", Map.of("weight_version", "2"))
                        .path("message")
                        .asText())
                .isEqualTo("ok");
        assertThat(Answers.sent(server.takeRequest())).isEqualTo(Map.of("model_path", "/m", "weight_version", "2"));
        assertThatExceptionOfType(MalformedResponseException.class)
                .isThrownBy(() -> control.updateWeightsFromDisk("/n", Map.of()))
                .withMessageContaining("no such file");
    }

    @Test
    void serverInfoByItsOldNameToo() throws Exception {
        server.enqueue(Answers.status(404, ""));
        server.enqueue(Answers.json("{\"version\": \"0.4\"}"));
        assertThat(client.control().serverInfo().path("version").asText()).isEqualTo("0.4");
        assertThat(server.takeRequest().getTarget()).isEqualTo("/server_info");
        assertThat(server.takeRequest().getTarget()).isEqualTo("/get_server_info");
    }

    @Test
    void messagePackWithArrays() throws Exception {
        Map<String, Object> body = Map.of(
                "image",
                NdArray.of(new float[] {1, 2.5f}, List.of(2)),
                "list",
                List.of(1L, 0.5, true, "é"),
                "raw",
                new byte[] {7});
        server.enqueue(new MockResponse.Builder()
                .addHeader("Content-Type", "application/msgpack")
                .body(new Buffer().write(Msgpack.write(body)))
                .build());
        server.enqueue(Answers.json("{}"));

        Map<String, Object> answer = client.postMsgpack("/act", body);

        assertThat(answer).containsEntry("list", List.of(1L, 0.5, true, "é")).containsEntry("raw", new byte[] {7});
        assertThat(answer.get("image")).isEqualTo(body.get("image"));
        assertThat(((NdArray) java.util.Objects.requireNonNull(answer.get("image"))).floats())
                .containsExactly(1, 2.5f);
        RecordedRequest request = server.takeRequest();
        assertThat(request.getHeaders().get("Content-Type")).isEqualTo("application/msgpack");
        assertThat(request.getHeaders().get("Accept")).isEqualTo("application/msgpack");
        assertThat(java.util.Objects.requireNonNull(request.getBody()).string(StandardCharsets.ISO_8859_1))
                .contains("__ndarray__");
        assertThatExceptionOfType(MalformedResponseException.class)
                .isThrownBy(() -> client.postMsgpack("/act", body))
                .withMessageContaining("not MessagePack but application/json");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> client.postMsgpack("/act", Map.of("x", new Object())))
                .withMessageContaining("java.lang.Object");
    }
}
