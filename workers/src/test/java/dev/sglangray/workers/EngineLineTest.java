/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An idle connection that ends, for this reason or that. */
class EngineLineTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final List<String> refused = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final EngineLine line = new EngineLine(threads, refused::add);
    private ServerSocket engine = listening();

    private static ServerSocket listening() {
        try {
            return new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private String url() {
        return "http://127.0.0.1:" + engine.getLocalPort();
    }

    @BeforeEach
    void limitWaits() throws IOException {
        engine.setSoTimeout((int) LONG.toMillis());
    }

    @AfterEach
    void end() throws IOException {
        line.close();
        engine.close();
        threads.shutdownNow();
    }

    @Test
    void tellsThatNothingListensAnyMore() throws IOException {
        line.watch(url());
        line.watch(url());
        Socket accepted = engine.accept();
        String url = url();
        engine.close();
        accepted.close();
        await().atMost(LONG).until(() -> refused.equals(List.of(url)));
    }

    @Test
    void tellsNothingOfAServerThatEndsIdleConnections() throws IOException {
        line.watch(url());
        engine.accept().close();
        // The second is the look whether somebody listens.
        engine.accept().close();
        assertThat(refused).isEmpty();
    }

    @Test
    void tellsNothingOnceClosed() throws IOException {
        line.watch(url());
        try (Socket accepted = engine.accept()) {
            engine.close();
            line.close();
            assertThat(accepted.getInputStream().read())
                    .as("its end of the connection")
                    .isEqualTo(-1);
        }
        line.watch(url());
        assertThat(refused).isEmpty();
    }

    @Test
    void isSureOnlyOfARefusal() throws IOException {
        assertThat(EngineLine.isRefused(url())).isFalse();
        String url = url();
        engine.close();
        assertThat(EngineLine.isRefused(url)).isTrue();
    }
}
