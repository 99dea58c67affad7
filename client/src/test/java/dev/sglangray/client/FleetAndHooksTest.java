/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several servers, interceptors, listeners, headers, executors, and what is left after many calls. */
@Timeout(30)
class FleetAndHooksTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();

    @Test
    void callsAreSpreadOverTheServersAndAvoidOneThatIsGone() throws Exception {
        try (FaultServer one = ok();
                FaultServer two = ok();
                FaultServer gone = ok()) {
            gone.close();
            try (InferenceHttpClient client = Clients.of(one.url())
                    .baseUrls(List.of(gone.url(), one.url(), two.url()))
                    .build()) {
                for (int i = 0; i < 12; i++) {
                    assertThat(client.generate(REQUEST).text()).isEqualTo("a");
                }
                assertThat(one.requests() + two.requests()).isEqualTo(12);
                assertThat(one.requests()).isBetween(3, 9);
                assertThat(client.health()).isTrue();
                assertThat(client.controls()).extracting(EngineControl::baseUrl).contains(two.url());
                assertThatIllegalStateException().isThrownBy(client::control);
            }
        }
    }

    @Test
    void interceptorsAndListenersSeeEachAttempt() throws Exception {
        List<String> heads = Collections.synchronizedList(new ArrayList<>());
        FaultServer.Script script = connection -> {
            heads.add(connection.head());
            if (heads.size() == 1) {
                connection.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
            } else {
                connection.answer("{\"text\": \"a\"}");
            }
        };
        Queue<String> heard = new ConcurrentLinkedQueue<>();
        ClientListener listener = new ClientListener() {
            @Override
            public void onStart(OutgoingRequest request) {
                heard.add("start " + request.attempt());
                throw new IllegalStateException("a broken listener breaks no call");
            }

            @Override
            public void onEnd(OutgoingRequest request, AttemptResult result) {
                heard.add("end " + result.status() + " " + result.receivedBytes() + " "
                        + result.failure().isPresent());
            }

            @Override
            public void onRetry(OutgoingRequest request, AttemptResult result, Duration pause) {
                heard.add("retry " + request.path());
            }
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url())
                        .interceptor(request -> request.withHeader("X-Attempt", "n" + request.attempt()))
                        .listener(listener)
                        .retryBackoff(Duration.ZERO)
                        .header("X-Tenant", "t")
                        .build()) {
            client.withOptions(o -> o.withMaxRetries(1)).generate(REQUEST);
        }
        assertThat(heads.get(0)).containsIgnoringCase("x-attempt: n1").containsIgnoringCase("x-tenant: t");
        assertThat(heads.get(1)).containsIgnoringCase("x-attempt: n2").containsIgnoringCase("x-request-id: ");
        assertThat(heard)
                .containsExactly("start 1", "end 503 0 true", "retry /generate", "start 2", "end 200 13 false");
    }

    @Test
    void headersThatWouldBreakTheProtocolAreRefused() {
        for (List<String> header : List.of(
                List.of("X\r\n", "a"), List.of("X", "a\r\nb"), List.of("Content-Length", "1"), List.of("", "a"))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> InferenceHttpClient.builder().header(header.get(0), header.get(1)));
        }
    }

    @Test
    void anExecutorThatRefusesEndsTheCall() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        executor.shutdown();
        try (FaultServer server = ok();
                InferenceHttpClient client = InferenceHttpClient.builder()
                        .baseUrl(server.url())
                        .callbackExecutor(executor)
                        .build()) {
            CompletableFuture<GenerateResponse> future = client.generateAsync(REQUEST);
            assertThatThrownBy(() -> future.get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(RequestCancelledException.class)
                    .hasMessageContaining("callbackExecutor");
        }
    }

    @Test
    void anIdThatCannotBeAHeaderIsSentInTheBodyOnly() throws Exception {
        Queue<String> heads = new ConcurrentLinkedQueue<>();
        FaultServer.Script script = connection -> {
            heads.add(connection.head());
            connection.answer("{\"text\": \"a\"}");
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            for (String rid : List.of("a\r\nX: y", "é", "mine")) {
                GenerateRequest request =
                        GenerateRequest.builder().text("x").extra("rid", rid).build();
                assertThat(client.generate(request).text()).isEqualTo("a");
            }
        }
        assertThat(heads).hasSize(3).noneMatch(head -> head.contains("X: y"));
        assertThat(heads)
                .filteredOn(head -> head.contains("X-Request-Id: mine"))
                .hasSize(1);
    }

    @Test
    void futuresAreCompletedWhereOneWantsThem() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor(task -> new Thread(task, "mine"));
        try (FaultServer server = ok();
                InferenceHttpClient client = InferenceHttpClient.builder()
                        .baseUrl(server.url())
                        .callbackExecutor(executor)
                        .build()) {
            CompletableFuture<String> thread = client.generateAsync(REQUEST)
                    .thenApply(answer -> Thread.currentThread().getName());
            // Unless it was complete before thenApply.
            assertThat(thread.get()).isIn("mine", Thread.currentThread().getName());
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void manyCallsAtOnceNeedFewThreadsAndLeaveNothing() throws Exception {
        FaultServer.Script slow = connection -> {
            connection.pause(200);
            connection.answer("{\"text\": \"a\"}");
        };
        try (FaultServer server = new FaultServer(slow)) {
            try (InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
                List<CompletableFuture<GenerateResponse>> all = Stream.generate(() -> client.generateAsync(REQUEST))
                        .limit(300)
                        .toList();
                assertThat(clientThreads()).hasSizeLessThanOrEqualTo(8);
                assertThat(all)
                        .allSatisfy(future -> assertThat(future.get().text()).isEqualTo("a"));
            }
            await().untilAsserted(() -> {
                assertThat(server.openConnections()).isZero();
                assertThat(clientThreads()).isEmpty();
            });
        }
    }

    @ParameterizedTest
    @CsvSource({"2, 4", "3, 4", "8, 3"})
    void noMoreConnectionsThanAllowed(int loops, int connections) throws Exception {
        FaultServer.Script slow = connection -> {
            connection.pause(5);
            connection.answer("{\"text\": \"a\"}");
        };
        try (FaultServer server = new FaultServer(slow);
                InferenceHttpClient client = InferenceHttpClient.builder()
                        .baseUrl(server.url())
                        .eventLoops(loops)
                        .maxConnections(connections)
                        .build()) {
            List<CompletableFuture<GenerateResponse>> all = Stream.generate(() -> client.generateAsync(REQUEST))
                    .limit(100)
                    .toList();
            assertThat(all).allSatisfy(future -> assertThat(future.get().text()).isEqualTo("a"));
            assertThat(server.accepted()).isLessThanOrEqualTo(connections);
        }
    }

    private static FaultServer ok() {
        return new FaultServer(connection -> connection.answer("{\"text\": \"a\"}"));
    }

    private static List<String> clientThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("inference-loop"))
                .toList();
    }
}
