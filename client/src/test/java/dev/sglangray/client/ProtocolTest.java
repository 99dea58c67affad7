/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.sglangray.client.internal.http.ClientOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Protocol;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP/1.1 only, no proxies: what is spoken on the wire. */
class ProtocolTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();

    @Test
    void speaksHttp11ToAServerThatOffersHttp2() throws Exception {
        HeldCertificate certificate = new HeldCertificate.Builder()
                .addSubjectAlternativeName("localhost")
                .build();
        HandshakeCertificates known = new HandshakeCertificates.Builder()
                .heldCertificate(certificate)
                .addTrustedCertificate(certificate.certificate())
                .build();
        try (MockWebServer server = new MockWebServer()) {
            server.useHttps(known.sslSocketFactory());
            server.setProtocols(List.of(Protocol.HTTP_2, Protocol.HTTP_1_1));
            server.start();
            server.enqueue(Answers.json(Answers.GENERATED));
            try (InferenceHttpClient client = InferenceHttpClient.builder()
                    .baseUrl("https://localhost:" + server.getPort())
                    .tls(known.sslContext(), known.trustManager())
                    .build()) {
                client.generate(GenerateRequest.builder().text("x").build());
            }
            RecordedRequest request = server.takeRequest();
            assertThat(request.getRequestLine()).isEqualTo("POST /generate HTTP/1.1");
            assertThat(Answers.sent(request)).containsEntry("text", "x");
        }
    }

    @Test
    void asksForNoUpgradeInTheClear() throws Exception {
        String answer = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"text\":\"a\"}";
        try (RawServer server = new RawServer(answer, RawServer.End.CLOSE);
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            assertThat(client.generate(GenerateRequest.builder().text("x").build())
                            .text())
                    .isEqualTo("a");
            String head = server.heads().take();
            assertThat(head).startsWith("POST /generate HTTP/1.1\r\n");
            assertThat(head.toLowerCase(Locale.ROOT)).doesNotContain("upgrade", "h2c", "http2-settings");
        }
    }

    @Test
    void bypassesTheProxiesOfTheJvm() throws Exception {
        try (ServerSocket nobody = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                MockWebServer server = new MockWebServer()) {
            server.start();
            server.enqueue(Answers.json(Answers.GENERATED));
            var previous = ProxySelector.getDefault();
            ProxySelector.setDefault(
                    ProxySelector.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), nobody.getLocalPort())));
            System.setProperty("http.proxyHost", "127.0.0.1");
            System.setProperty("http.proxyPort", String.valueOf(nobody.getLocalPort()));
            try (InferenceHttpClient client =
                    Clients.of(server.url("/").toString()).build()) {
                assertThat(client.generate(REQUEST).text()).isEqualTo(" Paris");
            } finally {
                ProxySelector.setDefault(previous);
                System.clearProperty("http.proxyHost");
                System.clearProperty("http.proxyPort");
            }
            assertThat(server.takeRequest().getTarget()).isEqualTo("/generate");
        }
    }

    @Test
    void goesThroughAProxyIfAsked() throws Exception {
        try (MockWebServer proxy = new MockWebServer()) {
            proxy.start();
            proxy.enqueue(Answers.json(Answers.GENERATED));
            proxy.enqueue(Answers.json(Answers.GENERATED));
            try (InferenceHttpClient client = Clients.of("http://engine.invalid:30000")
                    .proxy(proxy(Proxy.Type.HTTP, proxy.getPort()))
                    .build()) {
                assertThat(client.generate(REQUEST).text()).isEqualTo(" Paris");
                assertThat(client.generateAsync(REQUEST).join().text()).isEqualTo(" Paris");
            }
            for (int i = 0; i < 2; i++) {
                RecordedRequest request = proxy.takeRequest();
                assertThat(request.getRequestLine()).isEqualTo("POST http://engine.invalid:30000/generate HTTP/1.1");
                assertThat(request.getHeaders().get("Host")).isEqualTo("engine.invalid:30000");
            }
        }
    }

    /** The name is the proxy's to look up, and the certificate is checked for it. */
    @Test
    void tlsGoesThroughATunnelOfTheProxy() throws Exception {
        HeldCertificate certificate = new HeldCertificate.Builder()
                .addSubjectAlternativeName("engine.invalid")
                .build();
        HandshakeCertificates known = new HandshakeCertificates.Builder()
                .heldCertificate(certificate)
                .addTrustedCertificate(certificate.certificate())
                .build();
        try (MockWebServer proxy = new MockWebServer()) {
            proxy.useHttps(known.sslSocketFactory());
            proxy.start();
            proxy.enqueue(new MockResponse.Builder().inTunnel().build());
            proxy.enqueue(Answers.json(Answers.GENERATED));
            proxy.enqueue(Answers.json(Answers.GENERATED));
            try (InferenceHttpClient client = Clients.of("https://engine.invalid:30000")
                    .proxy(proxy(Proxy.Type.HTTP, proxy.getPort()))
                    .tls(known.sslContext(), known.trustManager())
                    .build()) {
                assertThat(client.generate(REQUEST).text()).isEqualTo(" Paris");
                assertThat(client.generate(REQUEST).text()).isEqualTo(" Paris");
            }
            assertThat(proxy.takeRequest().getRequestLine()).isEqualTo("CONNECT engine.invalid:30000 HTTP/1.1");
            assertThat(proxy.takeRequest().getRequestLine()).isEqualTo("POST /generate HTTP/1.1");
            assertThat(proxy.takeRequest().getRequestLine()).isEqualTo("POST /generate HTTP/1.1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"engine.invalid", "[fd00::1]"})
    void goesThroughASocksProxy(String host) throws Exception {
        boolean name = !host.startsWith("[");
        BlockingQueue<String> asked = new LinkedBlockingQueue<>();
        FaultServer.Script socks = connection -> {
            asked.add(HexFormat.of().formatHex(connection.read(3)));
            connection.write(new byte[] {5, 0});
            asked.add(HexFormat.of().formatHex(connection.read(4 + (name ? 1 + host.length() : 16) + 2)));
            connection.write(new byte[] {5, 0, 0, 1, 0, 0, 0, 0, 0, 0});
            connection.readSome(connection.readHead());
            asked.add(connection.head().lines().findFirst().orElseThrow());
            connection.answer("{\"text\": \"a\"}");
            connection.awaitHangUp();
        };
        try (FaultServer proxy = FaultServer.early(socks);
                InferenceHttpClient client = Clients.of("http://" + host + ":30000")
                        .proxy(proxy(Proxy.Type.SOCKS, proxy.port()))
                        .build()) {
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
            String address = name
                    ? "030e" + HexFormat.of().formatHex(host.getBytes(StandardCharsets.US_ASCII))
                    : "04fd000000000000000000000000000001";
            assertThat(asked).containsExactly("050100", "050100" + address + "7530", "POST /generate HTTP/1.1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1 407 Proxy Authentication Required", "HTTP/1.1 502 Bad Gateway", "SSH-2.0"})
    void aProxyThatRefusesATunnelIsAnUnreachableServer(String answer) throws Exception {
        FaultServer.Script refusing = connection -> connection.write(answer + "\r\nContent-Length: 0\r\n\r\n");
        try (FaultServer proxy = new FaultServer(refusing);
                InferenceHttpClient client = Clients.of("https://engine.invalid:30000")
                        .proxy(proxy(Proxy.Type.HTTP, proxy.port()))
                        .build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageStartingWith("POST https://engine.invalid:30000/generate: cannot connect: ");
            await().untilAsserted(() -> assertThat(proxy.openConnections()).isZero());
        }
    }

    @ParameterizedTest
    @CsvSource({"HTTP, https", "SOCKS, http", "SOCKS, https"})
    void aSilentProxyIsGivenUpAfterTheConnectTimeout(Proxy.Type type, String scheme) throws Exception {
        try (FaultServer proxy = FaultServer.early(FaultServer.Connection::awaitHangUp);
                InferenceHttpClient client = Clients.of(scheme + "://engine.invalid:30000")
                        .proxy(proxy(type, proxy.port()))
                        .connectTimeout(Duration.ofMillis(200))
                        .build()) {
            assertThatExceptionOfType(ServerUnreachableException.class)
                    .isThrownBy(() -> client.generate(REQUEST))
                    .withMessageContaining("timeout");
            await().untilAsserted(() -> assertThat(proxy.openConnections()).isZero());
        }
    }

    private static Proxy proxy(Proxy.Type type, int port) {
        return new Proxy(type, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    @Test
    void theDefaultsAreTheOriginals() {
        ClientOptions defaults =
                InferenceHttpClient.builder().baseUrl("http://127.0.0.1:1").clientOptions();
        assertThat(defaults.connectTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(defaults.maxConnections()).isEqualTo(16_384);
        assertThat(defaults.proxy()).isEqualTo(Proxy.NO_PROXY);
        assertThat(CallOptions.DEFAULT.readTimeoutOrNull()).isNull();
        assertThat(CallOptions.DEFAULT.requestTimeoutOrNull()).isNull();
        assertThat(CallOptions.DEFAULT.maxRetries()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/engine/0", "/engine/0/", "/engine/0//"})
    void keepsThePathOfTheBaseUrl(String path) throws Exception {
        try (MockWebServer server = new MockWebServer()) {
            server.start();
            server.enqueue(Answers.json("{}"));
            try (InferenceHttpClient client = InferenceHttpClient.of("http://127.0.0.1:" + server.getPort() + path)) {
                assertThat(client.health()).isTrue();
                assertThat(client.baseUrl()).endsWith("/engine/0");
            }
            assertThat(server.takeRequest().getTarget()).isEqualTo("/engine/0/health");
        }
    }

    @Test
    void reachesAnIpv6Address() throws Exception {
        InetAddress loopback = InetAddress.getAllByName("::1")[0];
        try (MockWebServer server = new MockWebServer()) {
            try {
                server.start(loopback, 0);
            } catch (IOException e) {
                Assumptions.abort("this machine has no IPv6: " + e.getMessage());
            }
            server.enqueue(Answers.json("{}"));
            try (InferenceHttpClient client = InferenceHttpClient.of("http://[::1]:" + server.getPort())) {
                assertThat(client.health()).isTrue();
            }
            assertThat(server.takeRequest().getHeaders().get("Host")).isEqualTo("[::1]:" + server.getPort());
        }
    }
}
