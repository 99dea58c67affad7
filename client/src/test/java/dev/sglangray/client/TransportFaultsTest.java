/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.zip.GZIPOutputStream;
import mockwebserver3.MockWebServer;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What comes out when something goes wrong at the other end, whichever way a call takes; and that nothing is left of it. */
@Timeout(30)
class TransportFaultsTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();
    private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

    /** Whatever went wrong: a closed client has no thread. */
    @AfterEach
    void noThreadIsLeft() {
        await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("inference-")));
    }

    @ParameterizedTest
    @EnumSource
    void slowHeadersAndBodiesComeThrough(Way way) throws Exception {
        String body = "{\"text\": \"a\"}";
        String answer = HEAD + "Content-Length: " + body.length() + "\r\n\r\n" + body;
        FaultServer.Script trickle = connection -> {
            for (int i = 0; i < answer.length(); i++) {
                connection.write(answer.substring(i, i + 1));
                connection.pause(1);
            }
        };
        try (FaultServer server = new FaultServer(trickle);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            assertThat(way.generate(client, REQUEST).text()).isEqualTo("a");
            assertThat(way.generate(client, REQUEST).text()).isEqualTo("a");
            assertThat(server.accepted()).as("connections").isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void silenceBeforeTheHead(Way way) throws Exception {
        fails(way, FaultServer.Connection::awaitHangUp, RequestTimeoutException.class, "silent for the read timeout");
    }

    @ParameterizedTest
    @EnumSource
    void silenceInTheBody(Way way) throws Exception {
        fails(
                way,
                connection -> {
                    connection.write(HEAD + "Content-Length: 100\r\n\r\n{");
                    connection.awaitHangUp();
                },
                RequestTimeoutException.class,
                "silent for the read timeout");
    }

    @ParameterizedTest
    @EnumSource
    void aTrickleThatTakesTooLong(Way way) throws Exception {
        FaultServer.Script trickle = connection -> {
            connection.write(HEAD + "Content-Length: 100000\r\n\r\n");
            while (true) {
                connection.write(" ");
                connection.pause(5);
            }
        };
        try (FaultServer server = new FaultServer(trickle);
                InferenceHttpClient client = way.builder(server.url())
                        .abortOnCancel(false)
                        .requestTimeout(Duration.ofMillis(200))
                        .build()) {
            assertThatExceptionOfType(RequestTimeoutException.class)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .withMessageContaining("request timeout");
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aResetBeforeTheHead(Way way) throws Exception {
        fails(way, FaultServer.Connection::reset, ConnectionLostException.class, "/generate");
    }

    @ParameterizedTest
    @EnumSource
    void aResetAtOnce(Way way) throws Exception {
        try (FaultServer server = FaultServer.early(FaultServer.Connection::reset);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            // It may come before the connection is seen to be made.
            assertThatExceptionOfType(InferenceException.class)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .isInstanceOfAny(ConnectionLostException.class, ServerUnreachableException.class);
            assertThat(server.accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aResetWhileTheRequestIsSent(Way way) throws Exception {
        FaultServer.Script script = connection -> {
            connection.readSome(100_000);
            connection.reset();
        };
        GenerateRequest large =
                GenerateRequest.builder().text("x".repeat(20_000_000)).build();
        try (FaultServer server = FaultServer.early(script);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(() -> way.generate(client, large));
            assertThat(server.accepted()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aResetInTheHead(Way way) throws Exception {
        fails(
                way,
                connection -> {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Le");
                    connection.reset();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @ParameterizedTest
    @EnumSource
    void aCloseBeforeTheHead(Way way) throws Exception {
        fails(way, FaultServer.Connection::close, ConnectionLostException.class, "/generate");
    }

    @ParameterizedTest
    @EnumSource
    void aCloseInTheHead(Way way) throws Exception {
        fails(
                way,
                connection -> {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Le");
                    connection.close();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @ParameterizedTest
    @EnumSource
    void aResetInTheBody(Way way) throws Exception {
        fails(
                way,
                connection -> {
                    connection.write(HEAD + "Content-Length: 100\r\n\r\n{\"text\"");
                    connection.reset();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @ParameterizedTest
    @EnumSource
    void aBodyShorterThanAnnounced(Way way) throws Exception {
        fails(
                way,
                connection -> {
                    connection.write(HEAD + "Content-Length: 100\r\n\r\n{\"text\": \"a\"}");
                    connection.close();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @ParameterizedTest
    @EnumSource
    void aChunkedBodyWithoutItsEnd(Way way) throws Exception {
        fails(
                way,
                connection -> {
                    connection.write(HEAD + "Transfer-Encoding: chunked\r\n\r\nd\r\n{\"text\": \"a\"}\r\n");
                    connection.close();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @ParameterizedTest
    @EnumSource
    void truncatedJson(Way way) throws Exception {
        fails(way, connection -> connection.answer("{\"text\": \"a"), MalformedResponseException.class, "end-of-input");
    }

    @ParameterizedTest
    @EnumSource
    void aPageInsteadOfJson(Way way) throws Exception {
        fails(
                way,
                connection -> connection.write(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"),
                MalformedResponseException.class,
                "<html></html>");
    }

    @ParameterizedTest
    @EnumSource
    void gzipThatIsNone(Way way) throws Exception {
        fails(
                way,
                connection -> connection.write(
                        HEAD + "Content-Encoding: gzip\r\nContent-Length: 13\r\n\r\n{\"text\": \"a\"}"),
                MalformedResponseException.class,
                "/generate");
    }

    @ParameterizedTest
    @EnumSource
    void aBodyLongerThanAnnouncedDoesNotSpoilTheNextCall(Way way) throws Exception {
        FaultServer.Script script =
                connection -> connection.write(HEAD + "Content-Length: 13\r\n\r\n{\"text\": \"a\"}{\"text\": \"b\"}");
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            assertThat(way.generate(client, REQUEST).text()).isEqualTo("a");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aGzipBombIsBounded(Way way) throws Exception {
        byte[] bomb = gzip(new byte[50 << 20]);
        FaultServer.Script script = connection -> {
            connection.write(HEAD + "Content-Encoding: gzip\r\nContent-Length: " + bomb.length + "\r\n\r\n");
            connection.write(bomb);
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client =
                        way.builder(server.url()).maxAnswerBytes(1 << 20).build()) {
            assertThatExceptionOfType(AnswerTooLargeException.class)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .withMessageContaining("limit of 1048576 bytes");
        }
    }

    @ParameterizedTest
    @EnumSource
    void gzipIsRead(Way way) throws Exception {
        byte[] packed = gzip("{\"text\": \"a\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        FaultServer.Script script = connection -> {
            assertThat(connection.head().toLowerCase(java.util.Locale.ROOT)).contains("accept-encoding: gzip");
            connection.write(HEAD + "Content-Encoding: gzip\r\nContent-Length: " + packed.length + "\r\n\r\n");
            connection.write(packed);
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            assertThat(way.generate(client, REQUEST).text()).isEqualTo("a");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anEndlessBodyIsBounded(Way way) throws Exception {
        byte[] piece = new byte[64 << 10];
        FaultServer.Script script = connection -> {
            connection.write(HEAD + "Connection: close\r\n\r\n");
            while (true) {
                connection.write(piece);
            }
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client =
                        way.builder(server.url()).maxAnswerBytes(1 << 20).build()) {
            assertThatExceptionOfType(AnswerTooLargeException.class).isThrownBy(() -> way.generate(client, REQUEST));
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
        }
    }

    @ParameterizedTest
    @EnumSource
    void noHttpAtAll(Way way) throws Exception {
        FaultServer.Script script = connection -> {
            connection.write("SSH-2.0-OpenSSH_9.2\r\n\r\n");
            connection.close();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            assertThatExceptionOfType(InferenceException.class)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .isInstanceOfAny(MalformedResponseException.class, ConnectionLostException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aConnectionClosedWhileIdleIsReplaced(Way way) throws Exception {
        FaultServer.Script script = connection -> {
            connection.answer("{\"text\": \"a\"}");
            connection.close();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            for (int i = 1; i <= 3; i++) {
                assertThat(way.generate(client, REQUEST).text()).isEqualTo("a");
                await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
            }
            assertThat(server.requests()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aHalfClosedConnectionIsReplaced(Way way) throws Exception {
        FaultServer.Script script = connection -> {
            connection.answer("{\"text\": \"a\"}");
            connection.closeOutput();
            connection.awaitHangUp();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            assertThat(way.generate(client, REQUEST).text()).isEqualTo("a");
            // Longer than what is not worth a look.
            await().pollDelay(Duration.ofMillis(50)).until(() -> true);
            assertThat(way.generate(client, REQUEST).text()).isEqualTo("a");
        }
    }

    @ParameterizedTest
    @EnumSource
    void informationalAnswersAreSkipped(Way way) throws Exception {
        FaultServer.Script script = connection -> {
            connection.write("HTTP/1.1 103 Early Hints\r\n\r\n");
            connection.answer("{\"text\": \"a\"}");
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = way.builder(server.url()).build()) {
            assertThat(way.generate(client, REQUEST).text()).isEqualTo("a");
        }
    }

    @ParameterizedTest
    @EnumSource
    void nobodyListens(Way way) throws Exception {
        int port;
        try (ServerSocket closedAgain = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closedAgain.getLocalPort();
        }
        try (InferenceHttpClient client =
                way.builder("http://127.0.0.1:" + port).build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .withMessageStartingWith("POST http://127.0.0.1:" + port + "/generate: cannot connect: ");
        }
        try (InferenceHttpClient client =
                way.builder("http://no-such-host.invalid:1").build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .withMessageContaining("unknown host");
        }
    }

    @ParameterizedTest
    @EnumSource
    void connectingThatTakesTooLong(Way way) throws Exception {
        try (FullServer server = new FullServer();
                InferenceHttpClient client = way.builder("http://127.0.0.1:" + server.port())
                        .connectTimeout(Duration.ofMillis(200))
                        .build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .withMessageContaining("connect timeout of PT0.2S");
        }
    }

    @ParameterizedTest
    @EnumSource
    void silenceInTheTlsHandshake(Way way) throws Exception {
        try (FaultServer server = FaultServer.early(FaultServer.Connection::awaitHangUp);
                InferenceHttpClient client = way.builder(server.url().replace("http:", "https:"))
                        .connectTimeout(Duration.ofMillis(200))
                        .build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .withMessageContaining("connect timeout of PT0.2S");
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
        }
    }

    @ParameterizedTest
    @EnumSource
    void tlsThatCannotBeTrusted(Way way) throws Exception {
        HeldCertificate certificate = new HeldCertificate.Builder()
                .addSubjectAlternativeName("other.invalid")
                .build();
        HandshakeCertificates known = new HandshakeCertificates.Builder()
                .heldCertificate(certificate)
                .addTrustedCertificate(certificate.certificate())
                .build();
        try (MockWebServer server = new MockWebServer()) {
            server.useHttps(known.sslSocketFactory());
            server.start();
            String url = "https://localhost:" + server.getPort();
            try (InferenceHttpClient stranger = way.builder(url).build();
                    InferenceHttpClient wrongName = way.builder(url)
                            .tls(known.sslContext(), known.trustManager())
                            .build()) {
                assertThatExceptionOfType(ServerUnreachableException.class)
                        .isThrownBy(() -> way.generate(stranger, REQUEST));
                assertThatExceptionOfType(ServerUnreachableException.class)
                        .isThrownBy(() -> way.generate(wrongName, REQUEST));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void tlsWithACertificateFromAFile(Way way, @org.junit.jupiter.api.io.TempDir java.nio.file.Path folder)
            throws Exception {
        HeldCertificate certificate = new HeldCertificate.Builder()
                .addSubjectAlternativeName("localhost")
                .build();
        java.nio.file.Path pem =
                java.nio.file.Files.writeString(folder.resolve("ca.pem"), certificate.certificatePem());
        HandshakeCertificates known =
                new HandshakeCertificates.Builder().heldCertificate(certificate).build();
        try (MockWebServer server = new MockWebServer()) {
            server.useHttps(known.sslSocketFactory());
            server.start();
            server.enqueue(Answers.json(Answers.GENERATED));
            try (InferenceHttpClient client = way.builder("https://localhost:" + server.getPort())
                    .trustedCertificates(pem)
                    .build()) {
                assertThat(way.generate(client, REQUEST).text()).isEqualTo(" Paris");
            }
            assertThat(server.takeRequest().getRequestLine()).isEqualTo("POST /generate HTTP/1.1");
        }
    }

    private static void fails(
            Way way, FaultServer.Script script, Class<? extends InferenceException> type, String message)
            throws Exception {
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = way.builder(server.url())
                        .readTimeout(Duration.ofMillis(300))
                        .abortOnCancel(false)
                        .build()) {
            assertThatExceptionOfType(type)
                    .isThrownBy(() -> way.generate(client, REQUEST))
                    .withMessageContaining(message)
                    .withMessageContaining(server.url() + "/generate");
            assertThat(server.requests()).as("requests sent").isEqualTo(1);
            client.close();
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
        }
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(bytes);
        }
        return packed.toByteArray();
    }
}
