/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** At the limit of connections a call waits for any of them, and never for a busy one while another is idle. */
@Timeout(30)
class AdmissionTest {
    private static final GenerateRequest SHORT =
            GenerateRequest.builder().text("short").build();
    private static final GenerateRequest LONG =
            GenerateRequest.builder().text("long").build();

    /** The long ones never end; all others go past them. */
    private static final FaultServer.Script SCRIPT = connection -> {
        if (connection.head().contains("X-Long")) {
            connection.awaitHangUp();
        } else {
            connection.answer("{\"text\": \"a\"}");
        }
    };

    @ParameterizedTest
    @CsvSource({"8, 8, 1", "8, 8, 7", "2, 2, 1", "3, 8, 7", "4, 2, 1", "1, 2, 1", "1, 8, 7"})
    void noCallWaitsBehindABusyConnectionWhileOthersIdle(int loops, int connections, int busy) throws Exception {
        try (FaultServer server = new FaultServer(SCRIPT);
                InferenceHttpClient client = Clients.of(server.url())
                        .eventLoops(loops)
                        .maxConnections(connections)
                        .abortOnCancel(false)
                        .build()) {
            List<CompletableFuture<GenerateResponse>> held = holdBusy(client, server, busy);
            for (int i = 0; i < 20; i++) {
                assertThat(client.generateAsync(SHORT).get(10, TimeUnit.SECONDS).text())
                        .isEqualTo("a");
            }
            List<CompletableFuture<GenerateResponse>> many = Stream.generate(() -> client.generateAsync(SHORT))
                    .limit(100)
                    .toList();
            for (CompletableFuture<GenerateResponse> one : many) {
                assertThat(one.get(10, TimeUnit.SECONDS).text()).isEqualTo("a");
            }
            assertThat(server.accepted()).isLessThanOrEqualTo(connections);
            assertThat(held).noneMatch(CompletableFuture::isDone);
        }
    }

    @Test
    void aCallThatWaitsCanEndByItself() throws Exception {
        try (FaultServer server = new FaultServer(SCRIPT)) {
            InferenceHttpClient client = Clients.of(server.url())
                    .eventLoops(2)
                    .maxConnections(2)
                    .abortOnCancel(false)
                    .build();
            List<CompletableFuture<GenerateResponse>> held = holdBusy(client, server, 2);
            CompletableFuture<GenerateResponse> cancelled = client.generateAsync(SHORT);
            cancelled.cancel(true);
            assertThatThrownBy(() -> client.withOptions(o -> o.withRequestTimeout(Duration.ofMillis(50)))
                            .generateAsync(SHORT)
                            .get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(RequestTimeoutException.class);
            CompletableFuture<GenerateResponse> next = client.generateAsync(SHORT);
            held.get(0).cancel(true);
            assertThat(next.get(10, TimeUnit.SECONDS).text()).isEqualTo("a");
            assertThat(server.requests()).isEqualTo(3);

            CompletableFuture<GenerateResponse> again =
                    client.withOptions(o -> o.withHeader("X-Long", "1")).generateAsync(LONG);
            CompletableFuture<GenerateResponse> waiting = client.generateAsync(SHORT);
            client.close();
            for (CompletableFuture<GenerateResponse> left : List.of(held.get(1), again, waiting)) {
                assertThatThrownBy(() -> left.get(10, TimeUnit.SECONDS))
                        .hasCauseInstanceOf(RequestCancelledException.class);
            }
        }
    }

    private static List<CompletableFuture<GenerateResponse>> holdBusy(
            InferenceHttpClient client, FaultServer server, int count) {
        InferenceHttpClient asking = client.withOptions(o -> o.withHeader("X-Long", "1"));
        List<CompletableFuture<GenerateResponse>> held =
                Stream.generate(() -> asking.generateAsync(LONG)).limit(count).toList();
        await().until(() -> server.requests() == count);
        return held;
    }
}
