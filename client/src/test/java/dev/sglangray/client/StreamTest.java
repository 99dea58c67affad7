/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StreamTest {
    private static final GenerateRequest REQUEST =
            GenerateRequest.builder().text("x").build();
    private static final String HEAD =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

    @Test
    void readsEventsAsTheyComeAndKeepsTheConnection() throws Exception {
        FaultServer.Script script = connection -> {
            assertThat(connection.head()).contains("text/event-stream");
            connection.write(HEAD);
            chunk(connection, ": a comment\n\ndata: {\"text\": \"Pa\", \"meta_info\": {\"id\": \"r\"}}\n\nda");
            chunk(connection, "ta: {\"text\": \"Paris\"}\r\n\r\nevent: x\ndata: {\"text\":\ndata: \"Paris é\"}\n\n");
            chunk(connection, "data: [DONE]\n\n");
            connection.write("0\r\n\r\n");
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            for (int i = 0; i < 3; i++) {
                try (StreamIterator<Generation> events =
                        client.generateStream(REQUEST).open()) {
                    assertThat(events.toList()).extracting(Generation::text).containsExactly("Pa", "Paris", "Paris é");
                }
            }
            assertThat(server.accepted()).as("connections").isEqualTo(1);
        }
    }

    @Test
    void readsChatsAndToolCalls() throws Exception {
        FaultServer.Script script = connection -> {
            connection.write(HEAD);
            chunk(connection, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n");
            chunk(
                    connection,
                    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":null,\"tool_calls\":[{\"index\":0,"
                            + "\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
                            + "\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n");
            connection.write("0\r\n\r\n");
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build();
                StreamIterator<ChatChunk> events = client.chatCompletionStream(
                                ChatRequest.builder().user("x").build())
                        .open()) {
            List<ChatChunk> all = events.toList();
            assertThat(all).extracting(ChatChunk::text).containsExactly("Hi", "");
            assertThat(all.get(1).choices().get(0).toolCalls()).containsExactly(new ToolCall(0, "t", "f", "{}"));
            assertThat(all.get(1).choices().get(0).finishReason()).contains("tool_calls");
        }
    }

    @Test
    void closingEarlyClosesTheRequest() throws Exception {
        AtomicInteger aborts = new AtomicInteger();
        FaultServer.Script script = connection -> {
            if (connection.head().contains("/abort_request")) {
                aborts.incrementAndGet();
                connection.answer("");
                return;
            }
            connection.write(HEAD);
            chunk(connection, "data: {\"text\": \"a\"}\n\n");
            connection.awaitHangUp();
            connection.close();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            try (StreamIterator<Generation> events =
                    client.generateStream(REQUEST).open()) {
                assertThat(events.next().text()).isEqualTo("a");
            }
            await().until(() -> aborts.get() == 1 && server.openConnections() <= 1);
        }
    }

    @Test
    void aSlowReaderHoldsTheServerBack() throws Exception {
        AtomicLong written = new AtomicLong();
        String event = "data: {\"text\": \"" + "a".repeat(60_000) + "\"}\n\n";
        FaultServer.Script endless = connection -> {
            connection.write(HEAD);
            while (true) {
                chunk(connection, event);
                written.addAndGet(event.length());
            }
        };
        try (FaultServer server = new FaultServer(endless);
                InferenceHttpClient client =
                        Clients.of(server.url()).abortOnCancel(false).build()) {
            CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
            AtomicInteger events = new AtomicInteger();
            client.generateStream(REQUEST).subscribe(new Flow.Subscriber<>() {
                @Override
                public void onSubscribe(Flow.Subscription made) {
                    subscription.complete(made);
                    made.request(3);
                }

                @Override
                public void onNext(Generation generation) {
                    events.incrementAndGet();
                }

                @Override
                public void onError(Throwable failure) {}

                @Override
                public void onComplete() {}
            });
            await().until(() -> events.get() == 3);
            AtomicLong before = new AtomicLong(-1);
            // The sockets' buffers fill; then nothing moves any more.
            await().pollInterval(Duration.ofMillis(200)).until(() -> before.getAndSet(written.get()) == written.get());
            assertThat(events).hasValue(3);
            subscription.join().request(100);
            await().until(() -> events.get() == 103);
            subscription.join().cancel();
            await().until(() -> server.openConnections() == 0);
        }
    }

    /** A server that says that it is done, and goes on or falls silent, keeps no connection from others. */
    @Test
    void anAnswerThatDoesNotEndAfterItsLastEventIsLeft() throws Exception {
        for (boolean endless : new boolean[] {true, false}) {
            FaultServer.Script script = connection -> {
                connection.write(HEAD);
                chunk(connection, "data: {\"text\": \"a\"}\n\ndata: [DONE]\n\n");
                while (endless) {
                    chunk(connection, ": more\n\n");
                }
                connection.awaitHangUp();
            };
            try (FaultServer server = new FaultServer(script);
                    InferenceHttpClient client =
                            Clients.of(server.url()).maxConnections(1).build()) {
                for (int i = 0; i < 2; i++) {
                    try (StreamIterator<Generation> events =
                            client.generateStream(REQUEST).open()) {
                        assertThat(events.toList()).hasSize(1);
                    }
                }
                await().until(() -> server.openConnections() == 0);
                assertThat(server.requests()).as("no abort").isEqualTo(2);
            }
        }
    }

    /** While nothing is asked for, nothing is read: that is not the server's silence. */
    @Test
    void aSlowReaderIsNotTakenForASilentServer() throws Exception {
        FaultServer.Script script = connection -> {
            connection.write(HEAD);
            for (int i = 0; i < 3; i++) {
                chunk(connection, "data: {\"text\": \"" + "a".repeat(100_000) + "\"}\n\n");
            }
            connection.awaitHangUp();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url())
                        .abortOnCancel(false)
                        .readTimeout(Duration.ofMillis(300))
                        .build()) {
            CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
            CompletableFuture<Throwable> failure = new CompletableFuture<>();
            AtomicInteger events = new AtomicInteger();
            client.generateStream(REQUEST).subscribe(new Flow.Subscriber<>() {
                @Override
                public void onSubscribe(Flow.Subscription made) {
                    made.request(1);
                    subscription.complete(made);
                }

                @Override
                public void onNext(Generation generation) {
                    events.incrementAndGet();
                }

                @Override
                public void onError(Throwable e) {
                    failure.complete(e);
                }

                @Override
                public void onComplete() {}
            });
            await().until(() -> events.get() == 1);
            await().during(Duration.ofMillis(900)).until(() -> !failure.isDone());
            subscription.join().request(2);
            await().until(() -> events.get() == 3);
            assertThat(failure).isNotDone();
            subscription.join().request(1);
            assertThat(failure.get(10, java.util.concurrent.TimeUnit.SECONDS))
                    .isInstanceOf(RequestTimeoutException.class);
        }
    }

    @Test
    void aStatusInsteadOfAStream() throws Exception {
        FaultServer.Script refusing = connection -> connection.write(
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 32\r\n\r\n{\"error\":{\"message\":\"too long\"}} ");
        try (FaultServer server = new FaultServer(refusing);
                InferenceHttpClient client = Clients.of(server.url()).build();
                StreamIterator<Generation> events =
                        client.generateStream(REQUEST).open()) {
            ServerStatusException e = catchThrowableOfType(ServerStatusException.class, events::next);
            assertThat(e.status()).isEqualTo(400);
            assertThat(e.serverMessage()).isEqualTo("too long");
        }
    }

    @Test
    void anErrorInTheStream() throws Exception {
        FaultServer.Script script = connection -> {
            connection.write(HEAD);
            chunk(
                    connection,
                    "data: {\"text\": \"a\"}\n\ndata: {\"error\": {\"message\": \"bad\", \"code\": 503}}\n\n");
            connection.awaitHangUp();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client =
                        Clients.of(server.url()).abortOnCancel(false).build();
                StreamIterator<Generation> events =
                        client.generateStream(REQUEST).open()) {
            assertThat(events.next().text()).isEqualTo("a");
            ServerStatusException e = catchThrowableOfType(ServerStatusException.class, events::next);
            assertThat(e.status()).isEqualTo(503);
            assertThat(e.serverMessage()).isEqualTo("bad");
            await().until(() -> server.openConnections() == 0);
        }
    }

    @Test
    void anAnswerThatIsNoStream() throws Exception {
        try (FaultServer server = new FaultServer(connection -> connection.answer("{\"text\": \"a\"}"));
                InferenceHttpClient client = Clients.of(server.url()).build();
                StreamIterator<Generation> events =
                        client.generateStream(REQUEST).open()) {
            assertThatExceptionOfType(MalformedResponseException.class)
                    .isThrownBy(events::next)
                    .withMessageContaining("no event stream but application/json");
        }
    }

    @Test
    void anEndlessStreamIsLeft() throws Exception {
        FaultServer.Script endless = connection -> {
            connection.write(HEAD);
            while (true) {
                chunk(connection, ": nothing\n\ndata: {\"text\": \"a\"}\n\n");
            }
        };
        try (FaultServer server = new FaultServer(endless);
                InferenceHttpClient client =
                        Clients.of(server.url()).abortOnCancel(false).build()) {
            try (StreamIterator<Generation> events =
                    client.generateStream(REQUEST).open()) {
                for (int i = 0; i < 1000; i++) {
                    assertThat(events.next().text()).isEqualTo("a");
                }
            }
            await().until(() -> server.openConnections() == 0);
        }
    }

    @Test
    void aStreamThatBreaksOff() throws Exception {
        for (boolean orderly : new boolean[] {true, false}) {
            FaultServer.Script script = connection -> {
                connection.write(HEAD);
                chunk(connection, "data: {\"text\": \"a\"}\n\n");
                connection.write(orderly ? "0\r\n\r\n" : "");
                connection.close();
            };
            try (FaultServer server = new FaultServer(script);
                    InferenceHttpClient client = Clients.of(server.url()).build();
                    StreamIterator<Generation> events =
                            client.generateStream(REQUEST).open()) {
                assertThat(events.next().text()).isEqualTo("a");
                assertThatExceptionOfType(ConnectionLostException.class).isThrownBy(events::next);
            }
        }
    }

    @Test
    void triesAgainBeforeTheFirstEventOnly() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        FaultServer.Script script = connection -> {
            if (requests.incrementAndGet() == 1) {
                connection.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
                return;
            }
            connection.write(HEAD);
            chunk(connection, "data: {\"text\": \"a\"}\n\n");
            connection.reset();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url())
                        .maxRetries(3)
                        .repeatProcessed(true)
                        .retryBackoff(Duration.ZERO)
                        .build();
                StreamIterator<Generation> events =
                        client.generateStream(REQUEST).open()) {
            assertThatThrownBy(() -> events.forEachRemaining(event -> {})).isInstanceOf(ConnectionLostException.class);
            assertThat(requests).hasValue(2);
        }
    }

    @Test
    void anEventWithoutEndIsBounded() throws Exception {
        FaultServer.Script endless = connection -> {
            connection.write(HEAD + "400\r\ndata: ");
            while (true) {
                connection.write("a".repeat(1018) + "\r\n400\r\n" + "a".repeat(6));
            }
        };
        try (FaultServer server = new FaultServer(endless);
                InferenceHttpClient client = Clients.of(server.url())
                        .abortOnCancel(false)
                        .maxAnswerBytes(100_000)
                        .build();
                StreamIterator<Generation> events =
                        client.generateStream(REQUEST).open()) {
            assertThatExceptionOfType(AnswerTooLargeException.class).isThrownBy(events::next);
            await().until(() -> server.openConnections() == 0);
        }
    }

    @Test
    void closingTheClientEndsStreams() throws Exception {
        FaultServer.Script script = connection -> {
            connection.write(HEAD);
            connection.awaitHangUp();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            StreamIterator<Generation> events = client.generateStream(REQUEST).open();
            await().until(() -> server.requests() == 1);
            CompletableFuture<Void> closing = CompletableFuture.runAsync(client::close);
            assertThatExceptionOfType(RequestCancelledException.class).isThrownBy(events::next);
            closing.join();
            await().until(() -> server.openConnections() == 0);
        }
    }

    private static void chunk(FaultServer.Connection connection, String text) throws java.io.IOException {
        int length = text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
        connection.write(Integer.toHexString(length) + "\r\n" + text + "\r\n");
    }
}
