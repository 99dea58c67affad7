/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sglangray.client.internal.call.Batch;
import dev.sglangray.client.internal.http.AnswerHandler;
import dev.sglangray.client.internal.http.AnswerHead;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.HttpCall;
import dev.sglangray.client.internal.transport.NettyTransport;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Code of the program's own, called by the client: it runs on the client's threads, and what it throws ends no more than it must. */
@Timeout(30)
class ProgramCodeTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();
    private static final FaultServer.Script BUSY =
            connection -> connection.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    private static final FaultServer.Script OK = connection -> connection.answer("{\"text\": \"a\"}");

    /** The timer that all of the JVM's futures share: who blocks it blocks every timeout of the program. */
    @Test
    void nothingRunsOnTheTimerOfTheJvm() throws Exception {
        Queue<String> threads = new ConcurrentLinkedQueue<>();
        try (FaultServer server = new FaultServer(BUSY);
                InferenceHttpClient client = noting(threads, Clients.of(server.url()))
                        .maxRetries(2)
                        .retryBackoff(Duration.ofMillis(20))
                        .build()) {
            assertThatThrownBy(() -> client.generate(REQUEST)).isInstanceOf(ServerStatusException.class);
            CompletableFuture<Throwable> failure = new CompletableFuture<>();
            client.generateStream(REQUEST).subscribe(new Subscriber() {
                @Override
                public void onError(Throwable e) {
                    threads.add(Thread.currentThread().getName());
                    failure.complete(e);
                }
            });
            assertThat(failure.get()).isInstanceOf(ServerStatusException.class);
        }
        assertThat(threads)
                .hasSizeGreaterThan(12)
                .allMatch(name -> name.startsWith("inference-")
                        || name.equals(Thread.currentThread().getName()));
    }

    /** A limit that the program sets ends the call, and its abort, on the client's threads too. */
    @Test
    void aTimeoutOfTheProgramsOwnEndsTheCall() throws Exception {
        Queue<String> threads = new ConcurrentLinkedQueue<>();
        Queue<String> paths = new ConcurrentLinkedQueue<>();
        FaultServer.Script silent = connection -> {
            paths.add(connection.head().split(" ", -1)[1]);
            if (connection.head().contains("/abort_request")) {
                connection.answer("");
            } else {
                connection.awaitHangUp();
            }
        };
        try (FaultServer server = new FaultServer(silent);
                InferenceHttpClient client =
                        noting(threads, Clients.of(server.url())).build()) {
            assertThatThrownBy(() -> client.generateAsync(REQUEST)
                            .orTimeout(100, TimeUnit.MILLISECONDS)
                            .join())
                    .hasCauseInstanceOf(java.util.concurrent.TimeoutException.class);
            await().untilAsserted(() -> assertThat(paths).containsExactly("/generate", "/abort_request"));
            await().untilAsserted(() -> assertThat(threads).hasSizeGreaterThanOrEqualTo(5));
            assertThat(threads).noneMatch(name -> name.contains("CompletableFuture"));
            await().untilAsserted(() -> assertThat(server.openConnections()).isLessThanOrEqualTo(1));
        }
    }

    @Test
    void closingTheClientEndsAPauseAtOnce() throws Exception {
        try (FaultServer server = new FaultServer(BUSY)) {
            InferenceHttpClient client = Clients.of(server.url())
                    .maxRetries(1)
                    .retryBackoff(Duration.ofDays(1))
                    .build()
                    .withOptions(o -> o.withMaxRetryPause(Duration.ofDays(1)));
            CompletableFuture<GenerateResponse> whole =
                    CompletableFuture.supplyAsync(() -> client.generate(REQUEST), task -> new Thread(task).start());
            CompletableFuture<Throwable> streamed = new CompletableFuture<>();
            client.generateStream(REQUEST).subscribe(new Subscriber() {
                @Override
                public void onError(Throwable e) {
                    streamed.complete(e);
                }
            });
            await().until(() -> server.requests() == 2);
            // Whether the answer is being read or the pause has begun: both end.
            client.close();
            assertThatThrownBy(() -> whole.get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(RequestCancelledException.class);
            assertThat(streamed.get(10, TimeUnit.SECONDS)).isInstanceOf(RequestCancelledException.class);
        }
    }

    @Test
    void aListenerThatThrowsAnErrorBreaksNothing() throws Exception {
        ClientListener broken = new ClientListener() {
            @Override
            public void onStart(OutgoingRequest request) {
                throw new NoClassDefFoundError("metrics");
            }

            @Override
            public void onEnd(OutgoingRequest request, AttemptResult result) {
                throw new AssertionError("metrics");
            }
        };
        try (FaultServer server = new FaultServer(OK);
                InferenceHttpClient client =
                        Clients.of(server.url()).listener(broken).build()) {
            assertThat(client.generate(REQUEST).text()).isEqualTo("a");
        }
    }

    @Test
    void anInterceptorThatThrowsAnErrorOnARetryEndsTheCall() throws Exception {
        RequestInterceptor broken = request -> {
            if (request.attempt() > 1) {
                throw new NoClassDefFoundError("tracing");
            }
            return request;
        };
        try (FaultServer server = new FaultServer(BUSY);
                InferenceHttpClient client = Clients.of(server.url())
                        .interceptor(broken)
                        .maxRetries(3)
                        .retryBackoff(Duration.ofMillis(1))
                        .build()) {
            assertThatThrownBy(() -> client.generate(REQUEST)).hasRootCauseInstanceOf(NoClassDefFoundError.class);
            try (StreamIterator<Generation> events =
                    client.generateStream(REQUEST).open()) {
                assertThatThrownBy(events::next).hasRootCauseInstanceOf(NoClassDefFoundError.class);
            }
            assertThat(server.requests()).isEqualTo(2);
        }
    }

    /** What goes wrong while an answer is taken in: the heap is full, or there is a bug. */
    @ParameterizedTest
    @ValueSource(strings = {"onHead", "onBytes", "onEnd"})
    void whateverIsThrownWhileAnAnswerIsReadEndsTheCall(String where) throws Exception {
        for (Throwable thrown : List.of(new OutOfMemoryError("Java heap space"), new ClassCastException("no list"))) {
            try (FaultServer server = new FaultServer(OK)) {
                ClientOptions options =
                        Clients.of(server.url()).maxAnswerBytes(1234).clientOptions();
                Thrower handler = new Thrower(where, thrown);
                try (NettyTransport transport = new NettyTransport(options)) {
                    HttpCall call =
                            new HttpCall("GET", options.baseUrls().get(0), "/x", java.util.Map.of(), null, null, null);
                    transport.start(call, false, handler);
                    InferenceException failure = handler.failure.get(10, TimeUnit.SECONDS);
                    if (thrown instanceof Error) {
                        assertThat(failure)
                                .isInstanceOf(AnswerTooLargeException.class)
                                .hasMessageContaining("no memory left")
                                .hasMessageContaining("1234 bytes (maxAnswerBytes)");
                    } else {
                        assertThat(failure)
                                .isInstanceOf(MalformedResponseException.class)
                                .hasMessageContaining("ClassCastException: no list");
                    }
                    await().untilAsserted(
                                    () -> assertThat(server.openConnections()).isLessThanOrEqualTo(1));
                }
            }
        }
    }

    /** Half an hour of a stream must not be lost in silence, nor go on without a listener. */
    @Test
    void aSubscriberThatThrowsEndsItsStream() throws Exception {
        for (Throwable thrown : List.of(new IllegalStateException("mine"), new AssertionError("mine"))) {
            Queue<String> paths = new ConcurrentLinkedQueue<>();
            FaultServer.Script endless = connection -> {
                paths.add(connection.head().split(" ", -1)[1]);
                if (connection.head().contains("/abort_request")) {
                    connection.answer("");
                    return;
                }
                connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
                while (true) {
                    connection.write("data: {\"text\": \"a\"}\n\n");
                    connection.pause(1);
                }
            };
            try (FaultServer server = new FaultServer(endless);
                    InferenceHttpClient client = Clients.of(server.url()).build()) {
                AtomicInteger events = new AtomicInteger();
                List<Throwable> failures = new ArrayList<>();
                CountDownLatch failed = new CountDownLatch(1);
                client.generateStream(REQUEST).subscribe(new Subscriber() {
                    @Override
                    public void onNext(Generation event) {
                        if (events.incrementAndGet() == 3) {
                            sneak(thrown);
                        }
                    }

                    @Override
                    public void onError(Throwable e) {
                        failures.add(e);
                        failed.countDown();
                        sneak(thrown);
                    }
                });
                assertThat(failed.await(10, TimeUnit.SECONDS)).isTrue();
                await().untilAsserted(() -> assertThat(paths).containsExactly("/generate", "/abort_request"));
                await().untilAsserted(() -> assertThat(server.openConnections()).isLessThanOrEqualTo(1));
                assertThat(events).hasValue(3);
                assertThat(failures).containsExactly(thrown);
            }
        }
    }

    @Test
    void aSubscriberThatThrowsAtOnceIsSentNothing() throws Exception {
        try (FaultServer server = new FaultServer(OK);
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            CompletableFuture<Throwable> failure = new CompletableFuture<>();
            client.generateStream(REQUEST).subscribe(new Subscriber() {
                @Override
                public void onSubscribe(Flow.Subscription made) {
                    throw new IllegalStateException("mine");
                }

                @Override
                public void onError(Throwable e) {
                    failure.complete(e);
                }
            });
            assertThat(failure.get(10, TimeUnit.SECONDS)).hasMessage("mine");
            assertThat(client.health()).isTrue();
            assertThat(server.requests()).isEqualTo(1);
        }
    }

    /** The stream waits for its subscriber, and its limit counts all the same. */
    @Test
    void aStreamThatNobodyReadsEndsWithItsRequestTimeout() throws Exception {
        FaultServer.Script endless = connection -> {
            connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            while (true) {
                connection.write("data: {\"text\": \"a\"}\n\n");
            }
        };
        try (FaultServer server = new FaultServer(endless);
                InferenceHttpClient client = Clients.of(server.url())
                        .abortOnCancel(false)
                        .requestTimeout(Duration.ofMillis(300))
                        .build()) {
            client.generateStream(REQUEST).subscribe(new Subscriber() {
                @Override
                public void onSubscribe(Flow.Subscription made) {
                    made.request(1);
                }
            });
            await().untilAsserted(() -> assertThat(server.requests()).isEqualTo(1));
            await().untilAsserted(() -> assertThat(server.openConnections()).isZero());
        }
    }

    @Test
    void aReportOfProgressThatThrowsDoesNotLoseTheBatch() throws Exception {
        AtomicInteger reports = new AtomicInteger();
        BatchOptions throwing = BatchOptions.concurrency(4).onProgress(progress -> {
            reports.incrementAndGet();
            throw new AssertionError("a bar of progress");
        });
        List<GenerateRequest> requests =
                Stream.generate(() -> REQUEST).limit(20).toList();
        try (FaultServer server = new FaultServer(OK);
                InferenceHttpClient client = InferenceHttpClient.of(server.url())) {
            assertThat(client.generateAllAsync(requests, throwing).get(10, TimeUnit.SECONDS))
                    .hasSize(20);
            assertThat(reports).hasValue(20);
            try (StreamIterator<BatchItem> items = client.generateAsCompleted(requests, throwing)) {
                assertThat(items.toList()).hasSize(20);
            }
        }
    }

    /** A slow report holds up reports, and neither what is sent nor who looks. */
    @Test
    void aReportOfProgressHoldsNoLock() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<Integer> seen = new ArrayList<>();
        List<CompletableFuture<GenerateResponse>> sent = new ArrayList<>();
        List<GenerateRequest> requests = Stream.generate(() -> REQUEST).limit(6).toList();
        BatchOptions slow = BatchOptions.concurrency(2).onProgress(progress -> {
            begun.countDown();
            awaitQuietly(go);
            seen.add(progress.done());
        });
        CompletableFuture<List<GenerateResponse>> all = Batch.inOrder(requests, slow, request -> {
            sent.add(new CompletableFuture<>());
            return sent.get(sent.size() - 1);
        });
        GenerateResponse answer =
                GenerateResponse.parse("{\"text\": \"a\"}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        Thread first = new Thread(() -> sent.get(0).complete(answer));
        first.start();
        begun.await();
        for (int i = 1; i < 6; i++) {
            sent.get(i).complete(answer);
        }
        assertThat(sent).hasSize(6);
        assertThat(all).isNotDone();
        go.countDown();
        first.join();
        assertThat(all.join()).hasSize(6);
        assertThat(seen).containsExactly(1, 2, 3, 4, 5, 6);
    }

    private static InferenceHttpClientBuilder noting(Queue<String> threads, InferenceHttpClientBuilder builder) {
        return builder.interceptor(request -> {
                    threads.add(Thread.currentThread().getName());
                    return request;
                })
                .listener(new ClientListener() {
                    @Override
                    public void onStart(OutgoingRequest request) {
                        threads.add(Thread.currentThread().getName());
                    }

                    @Override
                    public void onEnd(OutgoingRequest request, AttemptResult result) {
                        threads.add(Thread.currentThread().getName());
                    }

                    @Override
                    public void onRetry(OutgoingRequest request, AttemptResult result, Duration pause) {
                        threads.add(Thread.currentThread().getName());
                    }
                });
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable thrown) throws E {
        throw (E) thrown;
    }

    /** Takes everything. */
    private abstract static class Subscriber implements Flow.Subscriber<Generation> {
        @Override
        public void onSubscribe(Flow.Subscription made) {
            made.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(Generation event) {}

        @Override
        public void onError(Throwable e) {}

        @Override
        public void onComplete() {}
    }

    private static final class Thrower implements AnswerHandler {
        private final CompletableFuture<InferenceException> failure = new CompletableFuture<>();
        private final String where;
        private final Throwable thrown;

        Thrower(String where, Throwable thrown) {
            this.where = where;
            this.thrown = thrown;
        }

        @Override
        public void onHead(AnswerHead head) {
            throwIn("onHead");
        }

        @Override
        public void onBytes(ByteBuffer piece) {
            throwIn("onBytes");
        }

        @Override
        public void onEnd() {
            throwIn("onEnd");
        }

        @Override
        public void onFailure(InferenceException reason) {
            failure.complete(reason);
        }

        private void throwIn(String place) {
            if (place.equals(where)) {
                sneak(thrown);
            }
        }
    }
}
