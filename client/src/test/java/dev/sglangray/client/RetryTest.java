/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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

    @ParameterizedTest
    @ValueSource(ints = {400, 408, 429, 501})
    void doesNotTryAgainAfter(int status) {
        server.enqueue(Answers.status(status, ""));
        try (InferenceHttpClient client = client(3, Duration.ZERO)) {
            assertThatExceptionOfType(ServerStatusException.class).isThrownBy(() -> client.generate(REQUEST));
        }
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    /** OkHttp alone would send these a second time. */
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
                        .retryBackoff(Duration.ZERO)
                        .build()) {
            assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(() -> client.generate(REQUEST));
            assertThat(dying.heads()).hasSize(3);
        }
    }

    @Test
    void thePauseGrowsLinearly() {
        RetryPolicy policy = new RetryPolicy(3, Duration.ofMillis(10));
        assertThat(policy.pauseAfter(1)).hasMillis(10);
        assertThat(policy.pauseAfter(3)).hasMillis(30);
    }

    private InferenceHttpClient client(int retries, Duration backoff) {
        return InferenceHttpClient.builder()
                .baseUrl(server.url("/").toString())
                .maxRetries(retries)
                .retryBackoff(backoff)
                .build();
    }
}
