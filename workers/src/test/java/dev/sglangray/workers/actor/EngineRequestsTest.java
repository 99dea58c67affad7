/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import mockwebserver3.Dispatcher;
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

    private final Map<String, MockResponse> routes = new ConcurrentHashMap<>();
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

    private void answers(String path, int code, String body) {
        routes.put(path, new MockResponse.Builder().code(code).body(body).build());
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                return routes.getOrDefault(
                        request.getUrl().encodedPath(),
                        new MockResponse.Builder().code(404).build());
            }
        });
    }

    @Test
    void theLoadIsThatOfAllRanks() {
        answers("/v1/loads", 200, """
                {"loads": [{"num_running_reqs": 3, "num_waiting_reqs": 1, "gen_throughput": 10.5, "token_usage": 0.25},
                           {"num_running_reqs": 2, "num_waiting_reqs": 0, "gen_throughput": 4.5, "token_usage": 0.75}]}
                """);

        assertThat(router().load()).isEqualTo(new EngineLoad(5, 1, 15.0, 0.5));
        assertThat(server.getRequestCount()).as("no metrics are needed").isEqualTo(1);
        assertThat(router().requests()).hasValue(6);
    }

    @Test
    void whatTheLoadsDoNotTellComesFromTheMetrics() {
        answers("/v1/loads", 200, "{\"loads\": [{\"num_running_reqs\": 3, \"num_waiting_reqs\": 1}]}");
        assertThat(router().load()).as("without metrics").isEqualTo(new EngineLoad(3, 1, null, null));

        answers("/metrics", 200, """
                # TYPE sglang:num_running_reqs gauge
                sglang:num_running_reqs{dp_rank="0",model_name="m{1}",tp_rank="0"} 9.0
                sglang:gen_throughput{dp_rank="0",model_name="m",tp_rank="0"} 20.0
                sglang:gen_throughput{dp_rank="0",model_name="m",tp_rank="1"} 20.0
                sglang:gen_throughput{dp_rank="1",model_name="m",tp_rank="2"} 2e1
                sglang:token_usage{model_name="m"} 0.5
                sglang:cached_tokens_total{model_name="m"} 7.0
                """);
        assertThat(router().load()).isEqualTo(new EngineLoad(3, 1, 40.0, 0.5));
        routes.remove("/v1/loads");
        assertThat(router().load()).as("an engine without the route").isEqualTo(new EngineLoad(9, null, 40.0, 0.5));
        routes.remove("/metrics");
        assertThat(router().load()).isEqualTo(EngineLoad.UNKNOWN);
        answers("/metrics", 500, "");
        assertThatThrownBy(() -> router().load()).hasMessage("GET /metrics failed: HTTP 500");
    }
}
