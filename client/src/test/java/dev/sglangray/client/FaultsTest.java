/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import mockwebserver3.MockWebServer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What comes out when something goes wrong at the other end. */
class FaultsTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();

    @Test
    void aRefusedConnection() throws Exception {
        int port;
        try (ServerSocket closedAgain = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closedAgain.getLocalPort();
        }
        try (InferenceHttpClient client = InferenceHttpClient.of("http://127.0.0.1:" + port)) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageStartingWith("POST http://127.0.0.1:" + port + "/generate: cannot connect: ");
            assertThat(client.health()).isFalse();
        }
    }

    @Test
    void anUnknownHost() {
        try (InferenceHttpClient client = InferenceHttpClient.of("http://no-such-host.invalid:1")) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("unknown host");
        }
    }

    @Test
    void aReset() throws Exception {
        try (RawServer server = new RawServer("", RawServer.End.RESET);
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            assertThatExceptionOfType(ConnectionLostException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining(server.url() + "/generate");
            assertThat(server.heads()).as("requests sent").hasSize(1);
            assertThat(client.health()).isFalse();
        }
    }

    @Test
    void aBodyCutShortByTheConnection() throws Exception {
        String answer = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"text\": \"a";
        try (RawServer server = new RawServer(answer, RawServer.End.CLOSE);
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(() -> client.generate(REQUEST));
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "{\"text\": \"a, Unexpected end-of-input",
                "`{\"text\": \"a\"} {`, Trailing token",
                "<html>, Unexpected character",
                "[1], neither \"text\" nor \"output_ids\"",
                "``, empty body"
            })
    void aBodyThatIsNoAnswer(String body, String expected) throws Exception {
        try (MockWebServer server = new MockWebServer()) {
            server.start();
            server.enqueue(Answers.json(body));
            try (InferenceHttpClient client =
                    InferenceHttpClient.of(server.url("/").toString())) {
                assertThatExceptionOfType(MalformedResponseException.class)
                        .isThrownBy(() -> client.generate(REQUEST))
                        .withMessageContaining(expected)
                        .withMessageContaining(body);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "400, `{\"error\": {\"message\": \"too long\", \"code\": 400}}`, too long",
                "400, `{\"object\": \"error\", \"message\": \"bad model\"}`, bad model",
                "422, `{\"detail\": \"no field\"}`, no field",
                "422, `{\"detail\": [{\"loc\": [\"body\"]}]}`, `[{\"loc\":[\"body\"]}]`",
                "404, Not Found, Not Found",
                "302, , ''"
            })
    void aStatusWithTheServersMessage(int status, @Nullable String body, String expected) throws Exception {
        try (MockWebServer server = new MockWebServer()) {
            server.start();
            server.enqueue(Answers.status(status, body == null ? "" : body));
            try (InferenceHttpClient client =
                    InferenceHttpClient.of(server.url("/").toString())) {
                ServerStatusException e =
                        catchThrowableOfType(ServerStatusException.class, () -> client.generate(REQUEST));
                assertThat(e.status()).isEqualTo(status);
                assertThat(e.serverMessage()).isEqualTo(body == null ? "" : expected);
                assertThat(e).hasMessageContaining("status " + status);
                assertThat(e.getStackTrace()[0].getClassName())
                        .startsWith("dev.sglangray.client.internal.call.Futures");
                assertThat(e.getStackTrace())
                        .anyMatch(frame -> frame.getClassName().equals(FaultsTest.class.getName()));
            }
        }
    }

    @Test
    void silenceEndsAfterTheReadTimeout() throws Exception {
        try (RawServer server = new RawServer("", RawServer.End.SILENCE);
                InferenceHttpClient client = InferenceHttpClient.builder()
                        .baseUrl(server.url())
                        .readTimeout(Duration.ofMillis(50))
                        .build()) {
            assertThatExceptionOfType(RequestTimeoutException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("read timeout of PT0.05S");
        }
    }

    @Test
    void aTrickleEndsAfterTheRequestTimeout() throws Exception {
        try (RawServer server =
                        new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", RawServer.End.SILENCE);
                InferenceHttpClient client = InferenceHttpClient.builder()
                        .baseUrl(server.url())
                        .requestTimeout(Duration.ofMillis(50))
                        .build()) {
            assertThatExceptionOfType(RequestTimeoutException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("request timeout of PT0.05S");
        }
    }
}
