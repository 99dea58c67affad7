/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sglangray.client.internal.call.CallSpec;
import dev.sglangray.client.internal.call.RetryPolicy;
import java.time.Duration;
import java.util.Map;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();

    @AutoClose
    private final MockWebServer server = new MockWebServer();

    @BeforeEach
    void start() throws Exception {
        server.start();
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 503, 504})
    void triesAgainAfter(int status) {
        server.enqueue(Answers.status(status, "busy"));
        server.enqueue(Answers.json(Answers.GENERATED));
        try (InferenceHttpClient client = client(1, Duration.ofMillis(1))) {
            assertThat(client.generate(REQUEST).text()).isEqualTo(" Paris");
        }
        assertThat(server.getRequestCount()).isEqualTo(2);
    }

    /** What smg answers while it has no engine, where sglang-router answers 503; word for word. */
    @ParameterizedTest
    @CsvSource({"No worker available for model 'unknown',2", "The model 'other' does not exist,1"})
    void triesAgainWhereSmgHasNoEngineAtTheMoment(String message, int requests) {
        server.enqueue(Answers.status(
                404,
                "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"model_not_found\",\"message\":\"" + message
                        + "\",\"param\":null}}"));
        server.enqueue(Answers.json(Answers.GENERATED));
        try (InferenceHttpClient client =
                client(1, Duration.ofMillis(1)).withOptions(o -> o.withRepeatProcessed(false))) {
            if (requests == 2) {
                assertThat(client.generate(REQUEST).text()).isEqualTo(" Paris");
            } else {
                assertThatExceptionOfType(ServerStatusException.class)
                        .isThrownBy(() -> client.generate(REQUEST))
                        .satisfies(e -> assertThat(e.serverMessage()).isEqualTo(message));
            }
        }
        assertThat(server.getRequestCount()).isEqualTo(requests);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 404, 408, 429, 501})
    void doesNotTryAgainAfter(int status) {
        server.enqueue(Answers.status(status, ""));
        try (InferenceHttpClient client = client(3, Duration.ZERO)) {
            assertThatExceptionOfType(ServerStatusException.class).isThrownBy(() -> client.generate(REQUEST));
        }
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    /** HTTP libraries alone send these a second time. */
    @ParameterizedTest
    @ValueSource(ints = {408, 503})
    void triesOnlyOnceUnlessAsked(int status) {
        server.enqueue(new MockResponse.Builder()
                .code(status)
                .addHeader("Retry-After", "0")
                .build());
        try (InferenceHttpClient client = InferenceHttpClient.of(server.url("/").toString())) {
            assertThatExceptionOfType(ServerStatusException.class).isThrownBy(() -> client.generate(REQUEST));
        }
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    @Test
    void tellsOfEarlierFailuresWhenItGivesUp() {
        server.enqueue(Answers.status(500, "first"));
        server.enqueue(Answers.status(502, "second"));
        server.enqueue(Answers.status(503, "third"));
        try (InferenceHttpClient client = client(2, Duration.ofMillis(1))) {
            ServerStatusException e = catchThrowableOfType(ServerStatusException.class, () -> client.generate(REQUEST));
            assertThat(e.serverMessage()).isEqualTo("third");
            assertThat(e.getSuppressed())
                    .extracting(Throwable::getMessage)
                    .satisfiesExactly(
                            first -> assertThat(first).endsWith("status 500: first"),
                            second -> assertThat(second).endsWith("status 502: second"));
        }
    }

    @Test
    void triesAgainAfterAReset() throws Exception {
        try (RawServer dying = new RawServer("", RawServer.End.RESET);
                InferenceHttpClient client = InferenceHttpClient.builder()
                        .baseUrl(dying.url())
                        .maxRetries(2)
                        .repeatProcessed(true)
                        .retryBackoff(Duration.ZERO)
                        .build()) {
            assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(() -> client.generate(REQUEST));
            assertThat(dying.heads()).hasSize(3);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 502, 504})
    void doesNotRepeatWhatTheServerMayHaveWorkedOnUnlessAsked(int status) {
        server.enqueue(Answers.status(status, ""));
        try (InferenceHttpClient client = client(3, Duration.ZERO).withOptions(o -> o.withRepeatProcessed(false))) {
            assertThatExceptionOfType(ServerStatusException.class).isThrownBy(() -> client.generate(REQUEST));
        }
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    @Test
    void repeatsReadsEvenSo() {
        server.enqueue(Answers.status(500, ""));
        server.enqueue(Answers.json("{\"data\": [{\"id\": \"m\", \"max_model_len\": 8}]}"));
        try (InferenceHttpClient client = client(1, Duration.ZERO).withOptions(o -> o.withRepeatProcessed(false))) {
            assertThat(client.models()).containsExactly(new ModelInfo("m", 8, Map.of()));
        }
    }

    @Test
    void doesNotRepeatABrokenCallUnlessAsked() throws Exception {
        try (RawServer dying = new RawServer("", RawServer.End.RESET);
                InferenceHttpClient client = InferenceHttpClient.builder()
                        .baseUrl(dying.url())
                        .maxRetries(2)
                        .build()) {
            assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(() -> client.generate(REQUEST));
            assertThat(dying.heads()).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void waitsAsLongAsTheServerAsks(int status) {
        server.enqueue(new MockResponse.Builder()
                .code(status)
                .addHeader("Retry-After", "1")
                .build());
        server.enqueue(Answers.json(Answers.GENERATED));
        long started = System.nanoTime();
        try (InferenceHttpClient client = client(1, Duration.ZERO)) {
            assertThat(client.generate(REQUEST).text()).isEqualTo(" Paris");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void doesNotWaitLongerThanAllowed() {
        server.enqueue(new MockResponse.Builder()
                .code(503)
                .addHeader("Retry-After", "3600")
                .build());
        try (InferenceHttpClient client = client(1, Duration.ZERO)) {
            ServerStatusException e = catchThrowableOfType(ServerStatusException.class, () -> client.generate(REQUEST));
            assertThat(e.retryAfter()).contains(Duration.ofHours(1));
        }
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    @Test
    void aStormOfFailuresUsesUpTheBudget() {
        for (int i = 0; i < 20; i++) {
            server.enqueue(Answers.status(503, ""));
        }
        try (InferenceHttpClient client = InferenceHttpClient.builder()
                .baseUrl(server.url("/").toString())
                .maxRetries(5)
                .retryBackoff(Duration.ZERO)
                .retryBudget(3)
                .build()) {
            for (int i = 0; i < 4; i++) {
                assertThatExceptionOfType(ServerStatusException.class).isThrownBy(() -> client.generate(REQUEST));
            }
        }
        assertThat(server.getRequestCount()).isEqualTo(4 + 3);
    }

    @Test
    void thePauseGrowsLinearlyAndIsJittered() {
        CallSpec call =
                CallSpec.get("/", CallOptions.DEFAULT.withMaxRetries(3).withRetryBackoff(Duration.ofMillis(10)));
        InferenceException failure = new ServerUnreachableException("", null);
        for (int i = 0; i < 100; i++) {
            assertThat(RetryPolicy.pause(call, 1, failure))
                    .hasValueSatisfying(
                            pause -> assertThat(pause).isBetween(Duration.ofMillis(5), Duration.ofMillis(10)));
            assertThat(RetryPolicy.pause(call, 3, failure))
                    .hasValueSatisfying(
                            pause -> assertThat(pause).isBetween(Duration.ofMillis(15), Duration.ofMillis(30)));
        }
        assertThat(RetryPolicy.pause(call, 4, failure)).isEmpty();
    }

    private InferenceHttpClient client(int retries, Duration backoff) {
        return InferenceHttpClient.builder()
                .baseUrl(server.url("/").toString())
                .maxRetries(retries)
                .repeatProcessed(true)
                .retryBackoff(backoff)
                .build();
    }
}
