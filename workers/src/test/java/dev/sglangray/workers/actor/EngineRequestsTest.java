/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A request of a worker to its server, as {@code generate} of the router's worker makes it. */
class EngineRequestsTest {
    private static final Duration LONGEST = Duration.ofSeconds(20);
    private static final Map<String, Object> REQUEST = Map.of("text", "Zürich");

    private final MockWebServer server = new MockWebServer();

    @BeforeEach
    void start() throws IOException {
        server.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private EngineRequests router() {
        String url = "http://127.0.0.1:" + server.getPort();
        return new EngineRequests("the router", WorkerHttp.create(), () -> url, () -> "router-key");
    }

    @Test
    void goesWithTheKeyAndGivesTheAnswer() throws Exception {
        server.enqueue(new MockResponse.Builder().body("{\"text\":\"Paris\"}").build());

        assertThat(router().answered("/generate", REQUEST, LONGEST)).isEqualTo("{\"text\":\"Paris\"}");

        RecordedRequest request = server.takeRequest();
        assertThat(request.getRequestLine()).isEqualTo("POST /generate HTTP/1.1");
        assertThat(request.getHeaders().get("Authorization")).isEqualTo("Bearer router-key");
        assertThat(Objects.requireNonNull(request.getBody()).utf8()).isEqualTo("{\"text\":\"Zürich\"}");
    }

    @Test
    void aRefusalNamesTheServerAndIsNotRepeated() {
        server.enqueue(new MockResponse.Builder()
                .code(503)
                .body("No workers available")
                .build());

        assertThatThrownBy(() -> router().answered("/generate", REQUEST, LONGEST))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("the router answered /generate with")
                .hasMessageContaining("503")
                .hasMessageContaining("No workers available");
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    @Test
    void anAnswerThatComesTooLateIsAFailure() {
        server.enqueue(new MockResponse.Builder()
                .body("{}")
                .headersDelay(30, TimeUnit.SECONDS)
                .build());

        assertThatThrownBy(() -> router().answered("/generate", REQUEST, Duration.ofMillis(200)))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("the router did not answer /generate within");
    }
}
