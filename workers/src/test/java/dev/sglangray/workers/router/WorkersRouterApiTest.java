/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.actor.WorkerHttp;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.registry.RouterPort;
import dev.sglangray.workers.registry.ServerFacts;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The dialect as sglang-router 0.3.2 and smg 1.13.0 were seen to speak it; test_router.py looks at the real ones. */
class WorkersRouterApiTest {
    private static final String SERVER = "http://10.0.0.2:20000";
    private static final String QUEUED = "{\"status\":\"accepted\",\"worker_id\":\"id-1\",\"url\":\"" + SERVER + "\"}";

    private final MockWebServer router = new MockWebServer();
    private final OkHttpClient http = WorkerHttp.create();
    private final ThreadLoop loop = new ThreadLoop("under-test", InstantSource.system());
    private WorkersRouterApi api = new WorkersRouterApi("http://127.0.0.1:1", null, false, http, loop);

    @BeforeEach
    void start() throws IOException {
        router.start();
        api = new WorkersRouterApi(router.url("/").toString(), "router-key", false, http, loop);
    }

    @AfterEach
    void stop() {
        router.close();
        loop.close();
    }

    private static <T> T get(CompletableFuture<T> answer) throws Exception {
        return answer.get(20, TimeUnit.SECONDS);
    }

    @Test
    void addingNamesTheJob() throws Exception {
        answer(202, QUEUED);
        assertThat(get(api.add(ServerEndpoint.regular(SERVER)))).isEqualTo("id-1");
        RecordedRequest post = router.takeRequest();
        assertThat(post.getRequestLine()).isEqualTo("POST /workers HTTP/1.1");
        assertThat(post.getHeaders().get("Content-Type")).isEqualTo("application/json");
        assertThat(post.getHeaders().get("Authorization")).isEqualTo("Bearer router-key");
        assertThat(body(post)).isEqualTo("{\"url\":\"" + SERVER + "\",\"worker_type\":\"regular\"}");
    }

    @Test
    void answersCompleteOnTheLoop() throws Exception {
        answer(200, "{\"workers\":[]}");
        CompletableFuture<String> thread = loop.ask(
                () -> api.list().thenApply(servers -> Thread.currentThread().getName()));
        assertThat(get(thread)).isEqualTo("loop-under-test");
    }

    @Test
    void aPrefillServersBootstrapPortAndAGuardedServersKeyGoWithIt() throws Exception {
        answer(202, QUEUED);
        String unused = get(api.add(new ServerEndpoint(SERVER, "prefill", 8998, "engine-key")));
        assertThat(body(router.takeRequest()))
                .contains("\"worker_type\":\"prefill\",\"bootstrap_port\":8998,\"api_key\":\"engine-key\"}");
    }

    @Test
    void aJobIsUnknownPendingListedOrFailed() throws Exception {
        answer(404, "{\"error\":\"not found\"}");
        assertThat(get(api.progress("id-1"))).isEqualTo(new RouterPort.Progress.Unknown());
        assertThat(router.takeRequest().getRequestLine()).isEqualTo("GET /workers/id-1 HTTP/1.1");
        answer(200, "{\"id\":\"id-1\",\"is_healthy\":false,\"job_status\":{\"status\":\"processing\"}}");
        assertThat(get(api.progress("id-1"))).isEqualTo(new RouterPort.Progress.Pending("processing"));
        answer(
                200,
                "{\"id\":\"id-1\",\"url\":\"" + SERVER
                        + "\",\"worker_type\":\"regular\",\"model_id\":\"tiny\",\"is_healthy\":true}");
        assertThat(get(api.progress("id-1")))
                .isEqualTo(
                        new RouterPort.Progress.Listed(new RegisteredServer("id-1", SERVER, "regular", "tiny", true)));
        answer(
                200,
                "{\"is_healthy\":false,\"job_status\":{\"status\":\"failed\",\"message\":\"worker speaks no HTTP\"}}");
        assertThat(get(api.progress("id-1"))).isEqualTo(new RouterPort.Progress.Failed("worker speaks no HTTP"));
        answer(500, "oh");
        assertThatThrownBy(() -> get(api.progress("id-1"))).hasMessageContaining("HTTP 500 oh");
    }

    @Test
    void aServerThatSmgStillListsAfterItsRemovalIsGone() throws Exception {
        String leaving = "{\"id\":\"id-1\",\"url\":\"" + SERVER + "\",\"is_healthy\":false,\"status\":\"draining\"";
        answer(200, leaving + ",\"job_status\":{\"job_type\":\"RemoveWorker\",\"status\":\"processing\"}}");
        assertThat(get(api.progress("id-1"))).isEqualTo(new RouterPort.Progress.Unknown());
        String other = "{\"id\":\"id-2\",\"url\":\"http://10.0.0.3:1\",\"is_healthy\":true,\"status\":\"ready\"}";
        answer(200, "{\"workers\":[" + leaving + "}," + other + "]}");
        assertThat(get(api.list())).extracting(RegisteredServer::id).containsExactly("id-2");
    }

    @Test
    void aRefusalIsQuotedAndMeansThatNothingWasQueued() {
        answer(401, "Unauthorized");
        assertThatThrownBy(() -> get(api.add(ServerEndpoint.regular(SERVER))))
                .hasCauseInstanceOf(RouterPort.Refused.class)
                .hasMessageContaining("HTTP 401 Unauthorized")
                .hasMessageNotContaining("router-key");
    }

    @Test
    void anAnswerWithoutAnIdLeavesDoubt() {
        answer(202, "{}");
        assertThatThrownBy(() -> get(api.add(ServerEndpoint.regular(SERVER))))
                .hasCauseInstanceOf(WorkerFailure.class)
                .hasMessageContaining("gave no worker_id");
    }

    @Test
    void anUnknownWorkerTypeIsRefusedBeforeAnythingIsSent() {
        assertThatThrownBy(() -> get(api.add(new ServerEndpoint(SERVER, "encoder", null, null))))
                .hasCauseInstanceOf(RouterPort.Refused.class)
                .hasMessageContaining("'encoder'")
                .hasMessageContaining("regular, prefill, decode");
        assertThat(router.getRequestCount()).isZero();
    }

    @Test
    void removingAsksForAnIdAndAnUnknownOneCountsAsGone() throws Exception {
        answer(202, "{}");
        assertThat(get(api.remove("id-1"))).isTrue();
        assertThat(router.takeRequest().getRequestLine()).isEqualTo("DELETE /workers/id-1 HTTP/1.1");
        answer(404, "");
        assertThat(get(api.remove("id-1"))).isFalse();
        answer(503, "busy");
        assertThatThrownBy(() -> get(api.remove("id-1"))).hasMessageContaining("HTTP 503 busy");
    }

    @Test
    void theListHasAllServers() throws Exception {
        answer(200, "{\"workers\":[{\"id\":\"id-7\",\"url\":\"" + SERVER + "\",\"is_healthy\":false}]}");
        assertThat(get(api.list())).containsExactly(new RegisteredServer("id-7", SERVER, "regular", null, false));
        answer(500, "oh");
        assertThatThrownBy(() -> get(api.list()))
                .hasCauseInstanceOf(WorkerFailure.class)
                .hasMessageContaining("HTTP 500 oh for its servers");
    }

    @Test
    void aServerIsAskedForItsModelsAndOnBothRoutesForItsWeights() throws Exception {
        ServerEndpoint server =
                new ServerEndpoint(router.url("/").toString().replaceAll("/$", ""), "regular", null, "engine-key");
        answer(200, "{\"object\":\"list\",\"data\":[{\"id\":\"judge\"},{\"id\":\"judge:lora\"}]}");
        answer(404, "");
        answer(200, "{\"weight_version\":\"7\"}");
        assertThat(get(api.describe(server))).isEqualTo(new ServerFacts(List.of("judge", "judge:lora"), "7"));
        RecordedRequest first = router.takeRequest();
        assertThat(first.getRequestLine()).isEqualTo("GET /v1/models HTTP/1.1");
        assertThat(first.getHeaders().get("Authorization")).isEqualTo("Bearer engine-key");
        assertThat(router.takeRequest().getRequestLine()).isEqualTo("GET /model_info HTTP/1.1");
        assertThat(router.takeRequest().getRequestLine()).isEqualTo("GET /get_model_info HTTP/1.1");
        answer(404, "");
        answer(200, "{}");
        answer(404, "");
        assertThat(get(api.describe(server))).isEqualTo(ServerFacts.NONE);
        answer(401, "");
        assertThatThrownBy(() -> get(api.describe(server)))
                .hasMessageContaining("HTTP 401 to GET")
                .hasMessageContaining("/v1/models");
        answer(200, "{}");
        answer(503, "");
        assertThatThrownBy(() -> get(api.describe(server)))
                .hasMessageContaining("HTTP 503 to GET")
                .hasMessageContaining("/model_info");
        assertThatThrownBy(() -> get(api.describe(ServerEndpoint.regular("bad://scheme"))))
                .hasMessageContaining("bad://scheme is no URL");
        router.close();
        assertThatThrownBy(() -> get(api.describe(server))).hasMessageContaining("no answer to GET");
    }

    @Test
    void aRouterOfSeveralModelsLearnsTheModelOfAServer() throws Exception {
        ServerEndpoint server = new ServerEndpoint(SERVER, "regular", null, null, null, null, 0, "judge", false);
        answer(202, "{\"worker_id\":\"id-1\"}");
        String unused = get(api.add(server));
        assertThat(body(router.takeRequest())).doesNotContain("judge");

        WorkersRouterApi byModel = new WorkersRouterApi(router.url("/").toString(), null, true, http, loop);
        answer(202, "{\"worker_id\":\"id-1\"}");
        String unusedToo = get(byModel.add(server));
        assertThat(body(router.takeRequest())).contains("\"model_id\":\"judge\"");
    }

    @Test
    void aRouterThatIsGoneIsNamed() {
        router.close();
        assertThatThrownBy(() -> get(api.list()))
                .hasCauseInstanceOf(WorkerFailure.class)
                .hasMessageContaining("no answer to GET " + router.url("/workers"));
    }

    private void answer(int code, String body) {
        router.enqueue(new MockResponse.Builder().code(code).body(body).build());
    }

    private static String body(RecordedRequest request) {
        return Objects.requireNonNull(request.getBody()).utf8();
    }
}
