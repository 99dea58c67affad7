/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.actor.WorkerHttp;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.ProbeKind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What counts as a server that does its work. */
class LivenessProbeTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final MockWebServer server = new MockWebServer();

    @BeforeEach
    void start() throws IOException {
        server.start();
    }

    @AfterEach
    void end() {
        server.close();
    }

    private void answer(int code) {
        server.enqueue(new MockResponse.Builder().code(code).build());
    }

    private String url() {
        return server.url("/").toString().replaceAll("/$", "");
    }

    private static LivenessProbe probe(ProbeKind kind, Duration timeout) {
        return new LivenessProbe(WorkerHttp.create(), kind, timeout);
    }

    @Test
    void anEngineIsAskedToGenerate() throws Exception {
        answer(200);
        probe(ProbeKind.GENERATE, LONG).require(url());
        assertThat(server.takeRequest().getRequestLine()).isEqualTo("GET /health_generate HTTP/1.1");
        answer(503);
        assertThatThrownBy(() -> probe(ProbeKind.GENERATE, LONG).require(url()))
                .isInstanceOf(WorkerFailure.class)
                .hasMessage("the probe was answered with HTTP 503");
    }

    @Test
    void aServerThatDoesNotKnowTheRouteIsAskedForItsHealth() throws Exception {
        answer(404);
        answer(200);
        probe(ProbeKind.GENERATE, LONG).require(url());
        assertThat(server.takeRequest().getRequestLine()).startsWith("GET /health_generate ");
        assertThat(server.takeRequest().getRequestLine()).startsWith("GET /health ");
    }

    @Test
    void aRouterIsAskedForItsHealthOnly() throws Exception {
        answer(200);
        probe(ProbeKind.HEALTH, LONG).require(url());
        assertThat(server.takeRequest().getRequestLine()).startsWith("GET /health ");
    }

    @Test
    void anAnswerThatDoesNotComeInTimeIsAFailure() {
        assertThatThrownBy(() -> probe(ProbeKind.HEALTH, Duration.ofMillis(200)).require(url()))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("was not answered within 0 s");
    }

    @Test
    void aServerThatTakesNoNewConnectionFailsTheSecondProbe() throws Exception {
        LivenessProbe probe = probe(ProbeKind.HEALTH, Duration.ofSeconds(2));
        CountDownLatch end = new CountDownLatch(1);
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread serving = new Thread(() -> serveFirst(listener, end), "only-connection");
            serving.start();
            String url = "http://127.0.0.1:" + listener.getLocalPort();
            assertThatCode(() -> probe.require(url)).doesNotThrowAnyException();
            assertThatThrownBy(() -> probe.require(url)).isInstanceOf(WorkerFailure.class);
            end.countDown();
            serving.join(LONG.toMillis());
            assertThat(serving.isAlive()).isFalse();
        }
    }

    /** Answers all requests of the first connection, and takes no other. */
    private static void serveFirst(ServerSocket listener, CountDownLatch end) {
        try (Socket only = listener.accept();
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(only.getInputStream(), StandardCharsets.US_ASCII))) {
            listener.close();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.isEmpty()) {
                    only.getOutputStream()
                            .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                }
            }
            boolean unused = end.await(LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
