/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.RouterApiException;
import dev.sglangray.workers.protocol.ServerEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The dialect as router 0.3.2 was seen to speak it. */
class WorkersRouterApiTest {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final String SERVER = "http://10.0.0.2:20000";
    private static final String QUEUED = "{\"status\":\"accepted\",\"worker_id\":\"id-1\",\"url\":\"" + SERVER + "\"}";

    private final MockWebServer router = new MockWebServer();
    private final OkHttpClient http = WorkerHttp.create();
    private WorkersRouterApi api = new WorkersRouterApi("http://127.0.0.1:1", null, http);

    @BeforeEach
    void start() throws IOException {
        router.start();
        api = new WorkersRouterApi(router.url("/").toString(), "router-key", http);
    }

    @AfterEach
    void stop() {
        router.close();
    }

    @Test
    void registersAndPollsThroughAbsenceUntilHealthy() throws Exception {
        answer(202, QUEUED);
        answer(404, "{\"error\":\"not found\"}");
        answer(200, "{\"id\":\"id-1\",\"is_healthy\":false,\"job_status\":{\"status\":\"processing\"}}");
        answer(
                200,
                "{\"id\":\"id-1\",\"url\":\"" + SERVER
                        + "\",\"worker_type\":\"regular\",\"model_id\":\"tiny\",\"is_healthy\":true}");

        RegisteredServer server = api.register(ServerEndpoint.regular(SERVER), SOON);

        assertThat(server).isEqualTo(new RegisteredServer("id-1", SERVER, "regular", "tiny", true));
        RecordedRequest post = router.takeRequest();
        assertThat(post.getRequestLine()).isEqualTo("POST /workers HTTP/1.1");
        assertThat(post.getHeaders().get("Content-Type")).isEqualTo("application/json");
        assertThat(post.getHeaders().get("Authorization")).isEqualTo("Bearer router-key");
        assertThat(body(post)).isEqualTo("{\"url\":\"" + SERVER + "\",\"worker_type\":\"regular\"}");
        assertThat(router.takeRequest().getRequestLine()).isEqualTo("GET /workers/id-1 HTTP/1.1");
    }

    @Test
    void aPrefillServersBootstrapPortAndAGuardedServersKeyGoWithIt() throws Exception {
        answer(202, QUEUED);
        answer(200, "{\"is_healthy\":true}");

        api.register(new ServerEndpoint(SERVER, "prefill", 8998, "engine-key"), SOON);

        assertThat(body(router.takeRequest()))
                .contains("\"worker_type\":\"prefill\",\"bootstrap_port\":8998,\"api_key\":\"engine-key\"}");
    }

    @Test
    void aFailedJobIsAnErrorWithItsMessage() {
        answer(202, QUEUED);
        answer(
                200,
                "{\"is_healthy\":false,\"job_status\":{\"status\":\"failed\",\"message\":\"worker speaks no HTTP\"}}");

        assertThatThrownBy(() -> api.register(ServerEndpoint.regular(SERVER), SOON))
                .isInstanceOf(RouterApiException.class)
                .hasMessageContaining(SERVER)
                .hasMessageContaining("worker speaks no HTTP");
    }

    @Test
    void aServerThatNeverAppearsMeetsTheDeadline() {
        answer(202, QUEUED);
        for (int i = 0; i < 50; i++) {
            answer(404, "");
        }

        assertThatThrownBy(() -> api.register(ServerEndpoint.regular(SERVER), Duration.ofMillis(300)))
                .isInstanceOf(RouterApiException.class)
                .hasMessageContaining("does not list it yet");
    }

    @Test
    void aRefusalIsQuoted() {
        answer(401, "Unauthorized");

        assertThatThrownBy(() -> api.register(ServerEndpoint.regular(SERVER), SOON))
                .hasMessageContaining("HTTP 401 Unauthorized")
                .hasMessageNotContaining("router-key");
    }

    @Test
    void anUnknownWorkerTypeIsRefusedBeforeAnythingIsSent() {
        assertThatThrownBy(() -> api.register(new ServerEndpoint(SERVER, "encoder", null, null), SOON))
                .hasMessageContaining("'encoder'")
                .hasMessageContaining("regular, prefill, decode");
        assertThat(router.getRequestCount()).isZero();
    }

    @Test
    void aDeleteThatFailedCanBeRepeated() throws Exception {
        answer(202, QUEUED);
        answer(200, "{\"is_healthy\":true}");
        api.register(ServerEndpoint.regular(SERVER), SOON);
        answer(503, "busy");
        answer(202, "{}");
        answer(200, "{\"workers\":[]}");

        assertThatThrownBy(() -> api.unregister(SERVER, SOON)).hasMessageContaining("HTTP 503 busy");
        assertThat(api.unregister(SERVER, SOON)).isTrue();
        // Forgotten now, so the router's list is asked, which has it no more.
        assertThat(api.unregister(SERVER, SOON)).isFalse();

        router.takeRequest();
        router.takeRequest();
        assertThat(router.takeRequest().getRequestLine()).startsWith("DELETE /workers/id-1");
        assertThat(router.takeRequest().getRequestLine()).startsWith("DELETE /workers/id-1");
        assertThat(router.takeRequest().getRequestLine()).startsWith("GET /workers ");
    }

    @Test
    void aServerThatTheRouterAlreadyForgotCountsAsGone() {
        answer(200, "{\"workers\":[{\"id\":\"id-7\",\"url\":\"" + SERVER + "\",\"is_healthy\":false}]}");
        answer(404, "");

        assertThat(api.unregister(SERVER, SOON)).isFalse();
    }

    @Test
    void aRouterThatIsGoneIsNamed() {
        router.close();

        assertThatThrownBy(() -> api.servers(SOON))
                .isInstanceOf(RouterApiException.class)
                .hasMessageContaining("did not answer GET");
    }

    private void answer(int code, String body) {
        router.enqueue(new MockResponse.Builder().code(code).body(body).build());
    }

    private static String body(RecordedRequest request) {
        return Objects.requireNonNull(request.getBody()).utf8();
    }
}
