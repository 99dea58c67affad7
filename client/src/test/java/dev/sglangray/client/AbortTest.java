/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A request whose caller has left is aborted on the engine that was called; a router hears of it by the closed connection. */
@Timeout(30)
class AbortTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();

    /** A storm of aborts at each of its engines would hit those that work well; it passes the closed connections on. */
    @Test
    void aRouterIsAskedOnceWhatItIsAndItsEnginesAreLeftInPeace() throws Exception {
        AtomicInteger generations = new AtomicInteger();
        AtomicInteger hungUp = new AtomicInteger();
        Queue<String> asked = new ConcurrentLinkedQueue<>();
        FaultServer.Script router = connection -> {
            String path = path(connection);
            if (path.equals("/generate")) {
                generations.incrementAndGet();
                connection.awaitHangUp();
                hungUp.incrementAndGet();
                return;
            }
            asked.add(path);
            connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        };
        GenerateRequest batch =
                GenerateRequest.builder().texts(Collections.nCopies(20, "x")).build();
        try (FaultServer server = new FaultServer(router);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            for (int round = 1; round <= 2; round++) {
                List<CompletableFuture<GenerateResponse>> all = Stream.generate(() -> client.generateAsync(batch))
                        .limit(50)
                        .toList();
                int sent = 50 * round;
                await().until(() -> generations.get() == sent);
                all.forEach(future -> future.cancel(true));
                await().until(() -> hungUp.get() == sent);
                await().untilAsserted(() -> assertThat(asked).hasSize(1));
            }
            client.close();
            await().until(() -> server.openConnections() == 0);
            assertThat(asked).containsExactly("/abort_request");
        }
    }

    /** All are aborted, and the engine has time for others meanwhile. */
    @Test
    void anEngineIsToldOfEachRequestButNotOfAllAtOnce() throws Exception {
        AtomicInteger generations = new AtomicInteger();
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        AtomicInteger aborts = new AtomicInteger();
        FaultServer.Script engine = connection -> {
            if (path(connection).equals("/generate")) {
                generations.incrementAndGet();
                connection.awaitHangUp();
                return;
            }
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            connection.pause(2);
            now.decrementAndGet();
            aborts.incrementAndGet();
            connection.answer("");
        };
        try (FaultServer server = new FaultServer(engine);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            List<CompletableFuture<GenerateResponse>> all = Stream.generate(() -> client.generateAsync(REQUEST))
                    .limit(200)
                    .toList();
            await().until(() -> generations.get() == 200);
            all.forEach(future -> future.cancel(true));
            await().until(() -> aborts.get() == 200);
            assertThat(most.get()).isBetween(2, 8);
        }
    }

    @Test
    void aTimeoutAbortsOnTheEngineToo() throws Exception {
        Queue<String> asked = new ConcurrentLinkedQueue<>();
        FaultServer.Script script = connection -> {
            String path = path(connection);
            asked.add(path);
            if (path.equals("/generate")) {
                connection.awaitHangUp();
            } else {
                connection.answer("");
            }
        };
        try (FaultServer engine = new FaultServer(script);
                InferenceHttpClient client = Clients.of(engine.url())
                        .readTimeout(Duration.ofMillis(50))
                        .build()) {
            assertThatThrownBy(() -> client.generate(REQUEST)).isInstanceOf(RequestTimeoutException.class);
            await().untilAsserted(() -> assertThat(asked).containsExactly("/generate", "/abort_request"));
            try (StreamIterator<Generation> events =
                    client.generateStream(REQUEST).open()) {
                assertThatThrownBy(events::next).isInstanceOf(RequestTimeoutException.class);
            }
            await().untilAsserted(() ->
                    assertThat(asked).containsExactly("/generate", "/abort_request", "/generate", "/abort_request"));
        }
    }

    private static String path(FaultServer.Connection connection) {
        return connection.head().split(" ", -1)[1];
    }
}
