/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.client.internal.http.ClientOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Protocol;
import okhttp3.tls.HandshakeCertificates;
import okhttp3.tls.HeldCertificate;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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

    @ParameterizedTest
    @EnumSource
    void bypassesTheProxiesOfTheJvm(Way way) throws Exception {
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
                    way.builder(server.url("/").toString()).build()) {
                assertThat(way.generate(client, REQUEST).text()).isEqualTo(" Paris");
            } finally {
                ProxySelector.setDefault(previous);
                System.clearProperty("http.proxyHost");
                System.clearProperty("http.proxyPort");
            }
            assertThat(server.takeRequest().getTarget()).isEqualTo("/generate");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"WAITING", "THREADS"})
    void goesThroughAProxyIfAsked(Way way) throws Exception {
        try (MockWebServer proxy = new MockWebServer()) {
            proxy.start();
            proxy.enqueue(Answers.json(Answers.GENERATED));
            try (InferenceHttpClient client = InferenceHttpClient.builder()
                    .baseUrl("http://engine.invalid:30000")
                    .proxy(new Proxy(
                            Proxy.Type.HTTP, new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.getPort())))
                    .build()) {
                assertThat(way.generate(client, REQUEST).text()).isEqualTo(" Paris");
            }
            assertThat(proxy.takeRequest().getRequestLine())
                    .isEqualTo("POST http://engine.invalid:30000/generate HTTP/1.1");
        }
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
