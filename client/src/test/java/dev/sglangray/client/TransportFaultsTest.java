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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What comes out when something goes wrong at the other end, and that nothing is left of it. */
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

    @Test
    void slowHeadersAndBodiesComeThrough() throws Exception {
        String body = "{\"text\": \"a\"}";
        String answer = HEAD + "Content-Length: " + body.length() + "\r\n\r\n" + body;
        FaultServer.Script trickle = connection -> {
            for (int i = 0; i < answer.length(); i++) {
                connection.write(answer.substring(i, i + 1));
                connection.pause(1);
            }
        };
        try (FaultServer server = new FaultServer(trickle);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
            assertThat(server.accepted()).as("connections").isEqualTo(1);
        }
    }

    @Test
    void silenceBeforeTheHead() throws Exception {
        fails(FaultServer.Connection::awaitHangUp, RequestTimeoutException.class, "silent for the read timeout");
    }

    @Test
    void silenceInTheBody() throws Exception {
        fails(
                connection -> {
                    connection.write(HEAD + "Content-Length: 100\r\n\r\n{");
                    connection.awaitHangUp();
                },
                RequestTimeoutException.class,
                "silent for the read timeout");
    }

    @Test
    void aTrickleThatTakesTooLong() throws Exception {
        FaultServer.Script trickle = connection -> {
            connection.write(HEAD + "Content-Length: 100000\r\n\r\n");
            while (true) {
                connection.write(" ");
                connection.pause(5);
            }
        };
        try (FaultServer server = new FaultServer(trickle);
                InferenceHttpClient client = Clients.of(server.url())
                        .abortOnCancel(false)
                        .requestTimeout(Duration.ofMillis(200))
                        .build()) {
            assertThatExceptionOfType(RequestTimeoutException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("request timeout");
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
        }
    }

    @Test
    void aResetBeforeTheHead() throws Exception {
        fails(FaultServer.Connection::reset, ConnectionLostException.class, "/generate");
    }

    @Test
    void aResetAtOnce() throws Exception {
        try (FaultServer server = FaultServer.early(FaultServer.Connection::reset);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            // It may come before the connection is seen to be made.
            assertThatExceptionOfType(InferenceException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .isInstanceOfAny(ConnectionLostException.class, ServerUnreachableException.class);
            assertThat(server.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aResetWhileTheRequestIsSent() throws Exception {
        FaultServer.Script script = connection -> {
            connection.readSome(100_000);
            connection.reset();
        };
        GenerateRequest large =
                GenerateRequest.builder().text("x".repeat(20_000_000)).build();
        try (FaultServer server = FaultServer.early(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(() -> client.generate(large));
            assertThat(server.accepted()).isEqualTo(1);
        }
    }

    @Test
    void aResetInTheHead() throws Exception {
        fails(
                connection -> {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Le");
                    connection.reset();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @Test
    void aCloseBeforeTheHead() throws Exception {
        fails(FaultServer.Connection::close, ConnectionLostException.class, "/generate");
    }

    @Test
    void aCloseInTheHead() throws Exception {
        fails(
                connection -> {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Le");
                    connection.close();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @Test
    void aResetInTheBody() throws Exception {
        fails(
                connection -> {
                    connection.write(HEAD + "Content-Length: 100\r\n\r\n{\"text\"");
                    connection.reset();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @Test
    void aBodyShorterThanAnnounced() throws Exception {
        fails(
                connection -> {
                    connection.write(HEAD + "Content-Length: 100\r\n\r\n{\"text\": \"a\"}");
                    connection.close();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @Test
    void aChunkedBodyWithoutItsEnd() throws Exception {
        fails(
                connection -> {
                    connection.write(HEAD + "Transfer-Encoding: chunked\r\n\r\nd\r\n{\"text\": \"a\"}\r\n");
                    connection.close();
                },
                ConnectionLostException.class,
                "/generate");
    }

    @Test
    void truncatedJson() throws Exception {
        fails(connection -> connection.answer("{\"text\": \"a"), MalformedResponseException.class, "end-of-input");
    }

    @Test
    void aPageInsteadOfJson() throws Exception {
        fails(
                connection -> connection.write(
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"),
                MalformedResponseException.class,
                "<html></html>");
    }

    @Test
    void gzipThatIsNone() throws Exception {
        fails(
                connection -> connection.write(
                        HEAD + "Content-Encoding: gzip\r\nContent-Length: 13\r\n\r\n{\"text\": \"a\"}"),
                MalformedResponseException.class,
                "/generate");
    }

    @Test
    void aBodyLongerThanAnnouncedDoesNotSpoilTheNextCall() throws Exception {
        FaultServer.Script script =
                connection -> connection.write(HEAD + "Content-Length: 13\r\n\r\n{\"text\": \"a\"}{\"text\": \"b\"}");
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
        }
    }

    @Test
    void aGzipBombIsBounded() throws Exception {
        byte[] bomb = gzip(new byte[50 << 20]);
        FaultServer.Script script = connection -> {
            connection.write(HEAD + "Content-Encoding: gzip\r\nContent-Length: " + bomb.length + "\r\n\r\n");
            connection.write(bomb);
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client =
                        Clients.of(server.url()).maxAnswerBytes(1 << 20).build()) {
            assertThatExceptionOfType(AnswerTooLargeException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("limit of 1048576 bytes");
        }
    }

    @Test
    void gzipIsRead() throws Exception {
        byte[] packed = gzip("{\"text\": \"a\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        FaultServer.Script script = connection -> {
            assertThat(connection.head().toLowerCase(java.util.Locale.ROOT)).contains("accept-encoding: gzip");
            connection.write(HEAD + "Content-Encoding: gzip\r\nContent-Length: " + packed.length + "\r\n\r\n");
            connection.write(packed);
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
        }
    }

    @Test
    void anEndlessBodyIsBounded() throws Exception {
        byte[] piece = new byte[64 << 10];
        FaultServer.Script script = connection -> {
            connection.write(HEAD + "Connection: close\r\n\r\n");
            while (true) {
                connection.write(piece);
            }
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client =
                        Clients.of(server.url()).maxAnswerBytes(1 << 20).build()) {
            assertThatExceptionOfType(AnswerTooLargeException.class).isThrownBy(() -> client.generate(REQUEST));
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
        }
    }

    @Test
    void noHttpAtAll() throws Exception {
        FaultServer.Script script = connection -> {
            connection.write("SSH-2.0-OpenSSH_9.2\r\n\r\n");
            connection.close();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThatExceptionOfType(InferenceException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .isInstanceOfAny(MalformedResponseException.class, ConnectionLostException.class);
        }
    }

    @Test
    void aConnectionClosedWhileIdleIsReplaced() throws Exception {
        FaultServer.Script script = connection -> {
            connection.answer("{\"text\": \"a\"}");
            connection.close();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            for (int i = 1; i <= 3; i++) {
                assertThat(client.generate(REQUEST).text()).isEqualTo("a");
                await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
            }
            assertThat(server.requests()).isEqualTo(3);
        }
    }

    @Test
    void aHalfClosedConnectionIsReplaced() throws Exception {
        FaultServer.Script script = connection -> {
            connection.answer("{\"text\": \"a\"}");
            connection.closeOutput();
            connection.awaitHangUp();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
        }
    }

    @Test
    void informationalAnswersAreSkipped() throws Exception {
        FaultServer.Script script = connection -> {
            connection.write("HTTP/1.1 103 Early Hints\r\n\r\n");
            connection.answer("{\"text\": \"a\"}");
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
        }
    }

    @Test
    void nobodyListens() throws Exception {
        int port;
        try (ServerSocket closedAgain = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closedAgain.getLocalPort();
        }
        try (InferenceHttpClient client = Clients.of("http://127.0.0.1:" + port).build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageStartingWith("POST http://127.0.0.1:" + port + "/generate: cannot connect: ");
        }
        try (InferenceHttpClient client =
                Clients.of("http://no-such-host.invalid:1").build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("unknown host");
        }
    }

    @Test
    void connectingThatTakesTooLong() throws Exception {
        try (FullServer server = new FullServer();
                InferenceHttpClient client = Clients.of("http://127.0.0.1:" + server.port())
                        .connectTimeout(Duration.ofMillis(200))
                        .build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("connect timeout of PT0.2S");
        }
    }

    @Test
    void silenceInTheTlsHandshake() throws Exception {
        try (FaultServer server = FaultServer.early(FaultServer.Connection::awaitHangUp);
                InferenceHttpClient client = Clients.of(server.url().replace("http:", "https:"))
                        .connectTimeout(Duration.ofMillis(200))
                        .build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("connect timeout of PT0.2S");
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
        }
    }

    @Test
    void tlsThatCannotBeTrusted() throws Exception {
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
            try (InferenceHttpClient stranger = Clients.of(url).build();
                    InferenceHttpClient wrongName = Clients.of(url)
                            .tls(known.sslContext(), known.trustManager())
                            .build()) {
                assertThatExceptionOfType(ServerUnreachableException.class)
                        .isThrownBy(() -> stranger.generate(REQUEST));
                assertThatExceptionOfType(ServerUnreachableException.class)
                        .isThrownBy(() -> wrongName.generate(REQUEST));
            }
        }
    }

    @Test
    void tlsWithACertificateFromAFile(@org.junit.jupiter.api.io.TempDir java.nio.file.Path folder) throws Exception {
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
            try (InferenceHttpClient client = Clients.of("https://localhost:" + server.getPort())
                    .trustedCertificates(pem)
                    .build()) {
                assertThat(client.generate(REQUEST).text()).isEqualTo(" Paris");
            }
            assertThat(server.takeRequest().getRequestLine()).isEqualTo("POST /generate HTTP/1.1");
        }
    }

    private static void fails(FaultServer.Script script, Class<? extends InferenceException> type, String message)
            throws Exception {
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url())
                        .readTimeout(Duration.ofMillis(300))
                        .abortOnCancel(false)
                        .build()) {
            assertThatExceptionOfType(type)
                    .isThrownBy(() -> client.generate(REQUEST))
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
