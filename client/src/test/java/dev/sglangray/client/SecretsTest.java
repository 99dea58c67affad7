/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The API key shows nowhere, even if the server repeats it. */
class SecretsTest {
    private static final String KEY = "sk-top-s3cret";

    @ParameterizedTest
    @ValueSource(ints = {200, 401, 500})
    void notInTheTextOfAFailure(int status) throws Exception {
        try (MockWebServer server = new MockWebServer()) {
            server.start();
            server.enqueue(new MockResponse.Builder()
                    .code(status)
                    .body("wrong key " + KEY + " in Bearer " + KEY)
                    .build());
            server.enqueue(new MockResponse.Builder().code(status).body(KEY).build());
            try (InferenceHttpClient client = client(server.url("/").toString())) {
                Throwable e = catchThrowable(() -> client.post("/v1/things?token=" + KEY, Map.of()));
                StringWriter text = new StringWriter();
                e.printStackTrace(new PrintWriter(text));
                assertThat(text.toString()).contains("POST http", "[api key]").doesNotContain("s3cret");
                assertThat(client).hasToString("InferenceHttpClient[" + client.baseUrl() + "]");
            }
        }
    }

    @Test
    void notInTheTextOfAnUnreachableServer() {
        try (InferenceHttpClient client = client("http://127.0.0.1:1")) {
            Throwable e = catchThrowable(
                    () -> client.generate(GenerateRequest.builder().text("x").build()));
            StringWriter text = new StringWriter();
            e.printStackTrace(new PrintWriter(text));
            assertThat(text.toString()).contains("cannot connect").doesNotContain("s3cret");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "sk-s3cret\n", "sk s3cret", "sk-s3crét"})
    void notInTheRefusalOfABadKey(String key) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> InferenceHttpClient.builder().apiKey(key))
                .withMessageNotContaining("s3cr");
    }

    private static InferenceHttpClient client(String url) {
        return InferenceHttpClient.builder().baseUrl(url).apiKey(KEY).build();
    }
}
