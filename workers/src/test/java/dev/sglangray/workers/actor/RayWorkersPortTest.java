/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.loop.ThreadLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An idle connection to an engine, and how it ends; without Ray. */
class RayWorkersPortTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final ThreadLoop loop = new ThreadLoop("under-test", InstantSource.system());
    private final RayWorkersPort workers = new RayWorkersPort(loop);
    private final ServerSocket engine = listening();

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
        workers.close();
        loop.close();
        engine.close();
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(LONG.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void tellsThatTheConnectionEnded() throws Exception {
        CompletableFuture<Void> ended = workers.awaitDisconnect(url());
        try (Socket accepted = engine.accept()) {
            assertThat(accepted.isConnected()).isTrue();
            assertThat(ended).isNotDone();
        }
        CompletableFuture<String> thread =
                ended.thenApply(nothing -> Thread.currentThread().getName());
        assertThat(get(thread)).isNotEmpty();
    }

    @Test
    void tellsThatNoneCanBeMade() throws Exception {
        String url = url();
        engine.close();
        assertThat(workers.awaitDisconnect(url)).succeedsWithin(LONG);
    }

    @Test
    void endsItsOwnConnectionsWhenClosed() throws Exception {
        CompletableFuture<Void> ended = workers.awaitDisconnect(url());
        try (Socket accepted = engine.accept()) {
            workers.close();
            accepted.setSoTimeout((int) LONG.toMillis());
            assertThat(accepted.getInputStream().read())
                    .as("its end of the connection")
                    .isEqualTo(-1);
        }
        assertThat(ended).succeedsWithin(LONG);
        assertThat(workers.awaitDisconnect(url())).succeedsWithin(LONG);
    }

    @Test
    void isSureOnlyOfARefusal() throws Exception {
        String url = url();
        assertThat(get(workers.isRefused(url))).isFalse();
        engine.close();
        assertThat(get(workers.isRefused(url))).isTrue();
        assertThat(RayWorkersPort.refuses("http://no.such.host.invalid:1")).isFalse();
    }
}
