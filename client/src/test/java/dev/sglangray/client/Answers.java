/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.client.internal.json.JsonReader;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import mockwebserver3.MockResponse;
import mockwebserver3.RecordedRequest;

/** Answers as real engines give them. */
final class Answers {
    static final String GENERATED = """
            {"text": " Paris", "output_ids": [7, 8], "meta_info": {"id": "r1",
             "finish_reason": {"type": "length", "length": 2}, "prompt_tokens": 5, "weight_version": "default",
             "completion_tokens": 2, "cached_tokens": 1, "e2e_latency": 0.5, "output_token_logprobs": [[NaN, 7, null]]},
             "index": 0}
            """;

    private Answers() {}

    static MockResponse json(String body) {
        return status(200, body);
    }

    /** The JSON object that a request carried. */
    static Map<String, Object> sent(RecordedRequest request) throws Exception {
        byte[] body = Objects.requireNonNull(request.getBody()).toByteArray();
        return JsonReader.whole(body, reader -> reader.members(Map.of()).rest());
    }

    /** The same without the id by which the engine can abort the request. */
    static Map<String, Object> sentWithoutId(RecordedRequest request) throws Exception {
        Map<String, Object> sent = new LinkedHashMap<>(sent(request));
        assertThat(sent.remove("rid")).isEqualTo(request.getHeaders().get("X-Request-Id"));
        return sent;
    }

    static MockResponse status(int code, String body) {
        return new MockResponse.Builder()
                .code(code)
                .addHeader("Content-Type", "application/json")
                .body(body)
                .build();
    }
}
