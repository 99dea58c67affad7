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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import mockwebserver3.MockWebServer;
import org.assertj.core.api.ThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CancellationTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();

    @AutoClose
    private final FaultServer silent = new FaultServer(FaultServer.Connection::awaitHangUp);

    @AutoClose
    private InferenceHttpClient client;

    @BeforeEach
    void connect() {
        client = InferenceHttpClient.builder()
                .baseUrl(silent.url())
                .abortOnCancel(false)
                .build();
    }

    @Test
    void cancellingTheFutureCancelsTheCall() throws Exception {
        CompletableFuture<GenerateResponse> future = client.generateAsync(REQUEST);
        awaitRequest();

        future.cancel(true);

        awaitHangUp();
        assertThat(future).isCancelled();
    }

    @Test
    void cancellingHealthCancelsTheCall() throws Exception {
        CompletableFuture<Boolean> future = client.healthAsync();
        awaitRequest();
        future.cancel(true);
        awaitHangUp();
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
                    .abortOnCancel(false)
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
        awaitRequest();

        caller.interrupt();

        caller.join(5000);
        assertThat(thrown.get()).isInstanceOf(RequestCancelledException.class).hasMessageContaining("interrupted");
        assertThat(flag.get()).isTrue();
        awaitHangUp();
    }

    /** The loop would wait for itself. */
    @Test
    void waitingOnAnEventLoopIsRefused() throws Exception {
        List<ThrowingCallable> waits = List.of(
                () -> client.generate(REQUEST),
                client::health,
                client::models,
                () -> client.generateAll(List.of(REQUEST), BatchOptions.DEFAULT),
                () -> client.generateStream(REQUEST).open());
        CompletableFuture<GenerateResponse> first = client.generateAsync(REQUEST);
        CompletableFuture<List<Throwable>> thrown = first.handle((answer, failure) ->
                waits.stream().map(ThrowableAssert::catchThrowable).toList());
        awaitRequest();
        silent.close();
        assertThat(thrown.get(10, TimeUnit.SECONDS))
                .hasSize(waits.size())
                .allSatisfy(failure -> assertThat(failure)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("would block an event loop"));
        assertThat(silent.requests()).isEqualTo(1);
    }

    /** Its call is cancelled, perhaps before it was sent. */
    @Test
    void anInterruptedThreadDoesNotWait() {
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(RequestCancelledException.class).isThrownBy(() -> client.generate(REQUEST));
        assertThat(Thread.interrupted()).isTrue();
        awaitHangUp();
    }

    @Test
    void closingEndsCallsUnderWayAndRefusesNewOnes() throws Exception {
        CompletableFuture<GenerateResponse> future = client.generateAsync(REQUEST);
        awaitRequest();

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

    private void awaitRequest() {
        await().until(() -> silent.requests() == 1);
    }

    private void awaitHangUp() {
        await().until(() -> silent.openConnections() == 0);
    }
}
