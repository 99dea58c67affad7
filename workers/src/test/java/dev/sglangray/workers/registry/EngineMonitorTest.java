/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.loop.ManualLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What makes an engine suspected, and what does not. */
class EngineMonitorTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final ManualLoop loop = new ManualLoop();
    private final List<CompletableFuture<Void>> connections = new ArrayList<>();
    private final List<CompletableFuture<Boolean>> looks = new ArrayList<>();
    private final List<CompletableFuture<String>> deaths = new ArrayList<>();
    private final List<String> suspicions = new ArrayList<>();
    private boolean throwing;

    private final EngineMonitor monitor =
            new EngineMonitor(loop, new Workers(), "engines:0", "http://engine:1", suspicions::add);

    private final class Workers implements WorkersPort {
        @Override
        public CompletableFuture<Boolean> askForReport(String actor) {
            throw new IllegalStateException("a monitor asks for no reports");
        }

        @Override
        public CompletableFuture<String> awaitDeath(String actor) {
            assertThat(actor).isEqualTo("engines:0");
            return added(deaths);
        }

        @Override
        public CompletableFuture<Void> awaitDisconnect(String url) {
            assertThat(url).isEqualTo("http://engine:1");
            return added(connections);
        }

        @Override
        public CompletableFuture<Boolean> isRefused(String url) {
            return added(looks);
        }

        private <T> CompletableFuture<T> added(List<CompletableFuture<T>> futures) {
            CompletableFuture<T> future = new CompletableFuture<>();
            futures.add(future);
            if (throwing) {
                throw new IllegalStateException("the cluster's state is not known at the moment");
            }
            return future;
        }
    }

    @BeforeEach
    void start() {
        monitor.start();
    }

    @Test
    void aRefusedConnectionIsASuspicion() {
        connections.get(0).complete(null);
        assertThat(suspicions).as("the end of a connection alone is none").isEmpty();
        looks.get(0).complete(true);
        assertThat(suspicions).containsExactly("nothing listens at http://engine:1 any more");
    }

    @Test
    void aDeadWorkerIsASuspicion() {
        deaths.get(0).complete("killed by SIGKILL");
        assertThat(suspicions).containsExactly("its worker engines:0 died: killed by SIGKILL");
    }

    @Test
    void aSuspicionIsToldOnce() {
        deaths.get(0).complete("killed by SIGKILL");
        connections.get(0).complete(null);
        loop.pass(MINUTE);
        assertThat(suspicions).hasSize(1);
        assertThat(looks).isEmpty();
    }

    @Test
    void aServerThatEndsIdleConnectionsIsWatchedAgainLessAndLessOften() {
        for (int i = 0; i < 20; i++) {
            if (connections.size() > i) {
                connections.get(i).complete(null);
                looks.get(i).complete(false);
            }
            loop.pass(Duration.ofSeconds(1));
        }
        assertThat(suspicions).isEmpty();
        assertThat(connections).hasSizeBetween(3, 7);
    }

    @Test
    void oneThatKeepsThemForAWhileIsWatchedAgainSoon() {
        for (int i = 0; i < 5; i++) {
            loop.pass(Duration.ofSeconds(5));
            connections.get(i).complete(null);
            looks.get(i).complete(false);
            loop.pass(Duration.ofMillis(500));
            assertThat(connections).hasSize(i + 2);
        }
    }

    @Test
    void aCheckThatFailsSuspectsNothingAndIsRepeated() {
        connections.get(0).complete(null);
        looks.get(0).completeExceptionally(new IllegalStateException("timeout"));
        deaths.get(0).completeExceptionally(new IllegalStateException("Ray.wait failed"));
        assertThat(suspicions).isEmpty();
        loop.pass(Duration.ofMillis(500));
        assertThat(connections).hasSize(2);
        assertThat(deaths).hasSize(2);
        connections.get(1).completeExceptionally(new IllegalStateException("no route to host"));
        looks.get(1).complete(true);
        assertThat(suspicions).hasSize(1);
    }

    @Test
    void whatIsThrownSuspectsNothingAndIsRepeated() {
        throwing = true;
        connections.get(0).complete(null);
        deaths.get(0).completeExceptionally(new IllegalStateException("Ray.wait failed"));
        loop.pass(MINUTE);
        assertThat(suspicions).isEmpty();
        assertThat(looks).hasSizeGreaterThan(3);
        throwing = false;
        loop.pass(MINUTE);
        deaths.get(deaths.size() - 1).complete("killed by SIGKILL");
        assertThat(suspicions).hasSize(1);
    }

    @Test
    void afterItsEndItSuspectsNothing() {
        monitor.end();
        connections.get(0).complete(null);
        deaths.get(0).complete("killed by SIGKILL");
        loop.pass(MINUTE);
        assertThat(suspicions).isEmpty();
        assertThat(looks).isEmpty();
        assertThat(connections).hasSize(1);
    }
}
