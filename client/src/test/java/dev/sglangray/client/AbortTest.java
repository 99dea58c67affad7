/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Collections;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What nobody waits for any more is aborted where it runs: on an engine, and on the engines behind a router. */
@Timeout(30)
class AbortTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();

    /** A router is asked once what it is, and once for its engines by all that are cancelled together. */
    @ParameterizedTest
    @EnumSource(names = {"EVENT_LOOP", "THREADS"})
    void cancellingTellsTheEnginesBehindARouterOfEachRequest(Way way) throws Exception {
        Queue<String> aborted = new ConcurrentLinkedQueue<>();
        Queue<String> asked = new ConcurrentLinkedQueue<>();
        try (FaultServer engine = new FaultServer(connection -> {
            aborted.add(path(connection));
            connection.answer("");
        })) {
            FaultServer.Script router = connection -> {
                String path = path(connection);
                if (path.equals("/generate")) {
                    connection.awaitHangUp();
                    return;
                }
                asked.add(path);
                if (path.equals("/workers")) {
                    connection.answer("{\"workers\": [{\"url\": \"" + engine.url() + "\"}]}");
                } else {
                    connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                }
            };
            GenerateRequest batch = GenerateRequest.builder()
                    .texts(Collections.nCopies(20, "x"))
                    .build();
            try (FaultServer server = new FaultServer(router);
                    InferenceHttpClient client = way.builder(server.url()).build()) {
                for (int i = 1; i <= 2; i++) {
                    CompletableFuture<GenerateResponse> future = client.generateAsync(batch);
                    int sent = i;
                    await().until(() -> server.requests() - asked.size() == sent);
                    future.cancel(true);
                    await().untilAsserted(() -> assertThat(aborted).hasSize(20 * sent));
                }
                assertThat(asked).containsExactly("/abort_request", "/workers", "/workers");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"EVENT_LOOP", "THREADS"})
    void aTimeoutAbortsOnTheEngineToo(Way way) throws Exception {
        Queue<String> asked = new ConcurrentLinkedQueue<>();
        FaultServer.Script script = connection -> {
            String path = path(connection);
            asked.add(path);
            if (path.equals("/generate")) {
                connection.awaitHangUp();
            } else {
                connection.answer("");
            }
        };
        try (FaultServer engine = new FaultServer(script);
                InferenceHttpClient client = way.builder(engine.url())
                        .readTimeout(Duration.ofMillis(50))
                        .build()) {
            assertThatThrownBy(() -> way.generate(client, REQUEST)).isInstanceOf(RequestTimeoutException.class);
            await().untilAsserted(() -> assertThat(asked).containsExactly("/generate", "/abort_request"));
            try (StreamIterator<Generation> events =
                    client.generateStream(REQUEST).open()) {
                assertThatThrownBy(events::next).isInstanceOf(RequestTimeoutException.class);
            }
            await().untilAsserted(() ->
                    assertThat(asked).containsExactly("/generate", "/abort_request", "/generate", "/abort_request"));
        }
    }

    private static String path(FaultServer.Connection connection) {
        return connection.head().split(" ", -1)[1];
    }
}
