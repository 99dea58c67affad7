/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GenerateTest {
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
    void sendsWhatTheOriginalSends() throws Exception {
        server.enqueue(Answers.json(Answers.GENERATED));

        client.generate(GenerateRequest.builder()
                .text("The capital of France is")
                .samplingParam("temperature", 0.0)
                .samplingParam("max_new_tokens", 2)
                .build());

        RecordedRequest request = server.takeRequest();
        assertThat(request.getRequestLine()).isEqualTo("POST /generate HTTP/1.1");
        assertThat(request.getHeaders().get("Content-Type")).startsWith("application/json");
        assertThat(request.getHeaders().get("Authorization")).isNull();
        assertThat(Answers.sentWithoutId(request))
                .isEqualTo(Map.of(
                        "return_logprob",
                        false,
                        "text",
                        "The capital of France is",
                        "sampling_params",
                        Map.of("temperature", 0.0, "max_new_tokens", 2)));
    }

    @Test
    void readsOneGenerationAndKeepsUnknownFields() {
        server.enqueue(Answers.json(Answers.GENERATED));

        GenerateResponse response =
                client.generate(GenerateRequest.builder().text("x").build());

        assertThat(response.text()).isEqualTo(" Paris");
        Generation generation = response.single();
        assertThat(generation.outputIds()).containsExactly(7, 8);
        assertThat(generation.extra()).isEqualTo(Map.of("index", 0));
        MetaInfo meta = generation.metaInfo();
        assertThat(meta.id()).isEqualTo("r1");
        assertThat(meta.finishReason()).contains("length");
        assertThat(meta.weightVersion()).contains("default");
        assertThat(List.of(meta.promptTokens(), meta.completionTokens(), meta.cachedTokens()))
                .containsExactly(5, 2, 1);
        assertThat(meta.extra()).containsEntry("e2e_latency", 0.5).containsKey("output_token_logprobs");
        assertThatThrownBy(() -> meta.extra().put("a", 1)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void sendsTokenIdsLogprobsAndExtraFields() throws Exception {
        server.enqueue(Answers.json(Answers.GENERATED));

        client.generate(GenerateRequest.builder()
                .inputIds(List.of(1, 2, 3))
                .returnLogprob(true)
                .extra("lora_path", "adapter")
                .build());

        assertThat(Answers.sentWithoutId(server.takeRequest()))
                .isEqualTo(Map.of("return_logprob", true, "input_ids", List.of(1, 2, 3), "lora_path", "adapter"));
    }

    @Test
    void sendsAndReadsBatches() throws Exception {
        server.enqueue(Answers.json("[{\"text\":\"a\"},{\"text\":\"b\"}]"));
        server.enqueue(Answers.json("[{\"output_ids\":[4]},{\"output_ids\":[5]}]"));

        GenerateResponse texts = client.generate(
                GenerateRequest.builder().texts(List.of("x", "y")).build());
        GenerateResponse ids = client.generate(GenerateRequest.builder()
                .inputIdsBatch(List.of(List.of(1), List.of(2, 3)))
                .build());

        assertThat(texts.generations()).extracting(Generation::text).containsExactly("a", "b");
        assertThat(ids.generations()).extracting(Generation::outputIds).containsExactly(List.of(4), List.of(5));
        assertThat(Answers.sent(server.takeRequest())).containsEntry("text", List.of("x", "y"));
        assertThat(Answers.sent(server.takeRequest())).containsEntry("input_ids", List.of(List.of(1), List.of(2, 3)));
        assertThatThrownBy(texts::single)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("2");
    }

    @Test
    void requestsDoNotChangeWithTheMapsTheyWereBuiltFrom() {
        Map<String, Object> params = new HashMap<>(Map.of("top_k", 1));
        GenerateRequest request = new GenerateRequest(new Prompt.Text("x"), params, false, Map.of());
        params.put("top_k", 2);
        assertThat(request.samplingParams()).isEqualTo(Map.of("top_k", 1));
    }

    @Test
    void refusesRequestsThatCannotMeanAnything() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GenerateRequest.builder().build())
                .withMessageContaining("prompt");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GenerateRequest.builder()
                        .text("x")
                        .extra("return_logprob", true)
                        .build())
                .withMessageContaining("return_logprob");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GenerateRequest.builder()
                        .text("x")
                        .extra("stream", true)
                        .build())
                .withMessageContaining("stream");
        assertThatIllegalArgumentException().isThrownBy(() -> new Prompt.Texts(List.of()));
    }

    @Test
    void postsAnythingAnywhere() throws Exception {
        server.enqueue(Answers.json("{\"success\": true}"));

        assertThat(client.post("/update_weights_from_disk", Map.of("model_path", "/m"))
                        .path("success")
                        .asBoolean())
                .isTrue();

        RecordedRequest request = server.takeRequest();
        assertThat(request.getTarget()).isEqualTo("/update_weights_from_disk");
        assertThat(Answers.sent(request)).isEqualTo(Map.of("model_path", "/m"));
    }
}
