/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CancellationTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();

    @AutoClose
    private final RawServer silent = new RawServer("", RawServer.End.SILENCE);

    @AutoClose
    private InferenceHttpClient client;

    @BeforeEach
    void connect() {
        client = InferenceHttpClient.of(silent.url());
    }

    @Test
    void cancellingTheFutureCancelsTheCall() throws Exception {
        CompletableFuture<GenerateResponse> future = client.generateAsync(REQUEST);
        silent.heads().take();
        assertThat(callThreads()).isNotEmpty();

        future.cancel(true);

        await().untilAsserted(() -> assertThat(callThreads()).isEmpty());
        assertThat(future).isCancelled();
    }

    @Test
    void cancellingHealthCancelsTheCall() throws Exception {
        CompletableFuture<Boolean> future = client.healthAsync();
        silent.heads().take();
        future.cancel(true);
        await().untilAsserted(() -> assertThat(callThreads()).isEmpty());
    }

    @Test
    void cancellingDuringThePauseSendsNoMore() throws Exception {
        try (MockWebServer server = new MockWebServer()) {
            server.start();
            server.enqueue(Answers.status(503, ""));
            server.enqueue(Answers.status(503, ""));
            try (InferenceHttpClient retrying = InferenceHttpClient.builder()
                    .baseUrl(server.url("/").toString())
                    .maxRetries(1)
                    .retryBackoff(Duration.ofMillis(200))
                    .build()) {
                CompletableFuture<GenerateResponse> future = retrying.generateAsync(REQUEST);
                server.takeRequest();
                future.cancel(true);
                await().during(Duration.ofMillis(300))
                        .atMost(Duration.ofSeconds(5))
                        .until(() -> server.getRequestCount() == 1);
            }
        }
    }

    @Test
    void anInterruptEndsTheWaitAndSetsTheFlagAgain() throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        AtomicReference<Boolean> flag = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                client.generate(REQUEST);
            } catch (RequestCancelledException e) {
                thrown.set(e);
            }
            flag.set(Thread.currentThread().isInterrupted());
        });
        caller.start();
        silent.heads().take();

        caller.interrupt();

        caller.join(5000);
        assertThat(thrown.get()).isInstanceOf(RequestCancelledException.class).hasMessageContaining("interrupted");
        assertThat(flag.get()).isTrue();
        await().untilAsserted(() -> assertThat(callThreads()).isEmpty());
    }

    @Test
    void closingEndsCallsUnderWayAndRefusesNewOnes() throws Exception {
        CompletableFuture<GenerateResponse> future = client.generateAsync(REQUEST);
        silent.heads().take();

        client.close();
        client.close();

        assertThatThrownBy(future::get)
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(RequestCancelledException.class);
        assertThatExceptionOfType(RequestCancelledException.class)
                .isThrownBy(() -> client.generate(REQUEST))
                .withMessageContaining("closed");
        assertThat(client.health()).isFalse();
    }

    @Test
    void manyCallsRunAtOnce() throws Exception {
        try (MockWebServer server = new MockWebServer()) {
            server.start();
            int calls = 100;
            for (int i = 0; i < calls; i++) {
                server.enqueue(Answers.json(Answers.GENERATED));
            }
            try (InferenceHttpClient many =
                    InferenceHttpClient.of(server.url("/").toString())) {
                List<CompletableFuture<GenerateResponse>> futures = Stream.generate(() -> many.generateAsync(REQUEST))
                        .limit(calls)
                        .toList();
                assertThat(futures)
                        .allSatisfy(future -> assertThat(future.get().text()).isEqualTo(" Paris"));
            }
        }
    }

    /** OkHttp names a thread after the URL while the thread works on a call. */
    private List<String> callThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.contains(silent.url()))
                .toList();
    }
}
