/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Engines whose next token is the length of what they were given so far, and which fail after some. */
@Timeout(30)
class ContinuationTest {
    private static final List<Integer> PROMPT = List.of(7, 7, 7);
    private static final int BUDGET = 10;
    private static final List<Integer> UNDISTURBED =
            IntStream.range(3, 3 + BUDGET).boxed().toList();

    private final Queue<JsonNode> asked = new ConcurrentLinkedQueue<>();

    private static GenerateRequest.Builder request() {
        return GenerateRequest.builder()
                .inputIds(PROMPT)
                .samplingParam("max_new_tokens", BUDGET)
                .samplingParam("temperature", 0.0);
    }

    /**
     * An engine.
     *
     * @param incremental whether an event has only the new token
     * @param failsAfter how many tokens the request of this number, from 0 on, brings before the connection breaks
     */
    private FaultServer engine(boolean incremental, IntUnaryOperator failsAfter) {
        return new FaultServer(connection -> {
            JsonNode body = JsonText.read(connection.body());
            int number = asked.size();
            asked.add(body);
            connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            int given = body.path("input_ids").size();
            int wanted = body.path("sampling_params").path("max_new_tokens").asInt();
            int brought = Math.min(wanted, failsAfter.applyAsInt(number));
            for (int i = 1; i <= brought; i++) {
                event(connection, number, given, incremental ? i - 1 : 0, i, i == wanted);
            }
            if (brought < wanted) {
                connection.close();
                return;
            }
            chunk(connection, "data: [DONE]\n\n");
            connection.write("0\r\n\r\n");
        });
    }

    private static void event(
            FaultServer.Connection connection, int number, int given, int from, int to, boolean finished)
            throws IOException {
        List<Integer> ids = IntStream.range(given + from, given + to).boxed().toList();
        String text = String.join("", ids.stream().map(id -> "<" + id + ">").toList());
        chunk(connection, """
                data: {"text": "%s", "output_ids": %s, "meta_info": {"completion_tokens": %d, "weight_version": "%d", "finish_reason": %s}}

                """.formatted(text, ids, to, number, finished ? "{\"type\": \"length\"}" : "null"));
    }

    private static void chunk(FaultServer.Connection connection, String text) throws IOException {
        connection.write(Integer.toHexString(text.length()) + "\r\n" + text + "\r\n");
    }

    @ParameterizedTest
    @CsvSource({"false,0", "false,1", "false,4", "false,9", "true,1", "true,4", "true,9"})
    void theTokensAreThoseOfAnUndisturbedRun(boolean incremental, int failsAfter) throws Exception {
        try (FaultServer server = engine(incremental, number -> number == 0 ? failsAfter : BUDGET);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            ContinuedGeneration answer = client.generateContinued(request().build(), 1);

            assertThat(answer.outputIds()).isEqualTo(UNDISTURBED);
            assertThat(answer.text())
                    .isEqualTo(String.join(
                            "", UNDISTURBED.stream().map(id -> "<" + id + ">").toList()));
            assertThat(answer.finishReason()).contains("length");
            assertThat(answer.weightVersions()).isEqualTo(failsAfter == 0 ? List.of("1") : List.of("0", "1"));
            assertThat(asked).hasSize(2);
        }
    }

    @Test
    void severalFailuresAreSeveralParts() throws Exception {
        try (FaultServer server = engine(false, number -> 3);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            ContinuedGeneration answer = client.generateContinued(
                    request().samplingParam("min_new_tokens", 5).build(), 3);

            assertThat(answer.parts())
                    .extracting(part -> part.outputIds().size())
                    .containsExactly(3, 3, 3, 1);
            assertThat(answer.outputIds()).isEqualTo(UNDISTURBED);
            assertThat(asked)
                    .extracting(
                            body -> body.at("/sampling_params/max_new_tokens").asInt())
                    .containsExactly(10, 7, 4, 1);
            assertThat(asked)
                    .extracting(
                            body -> body.at("/sampling_params/min_new_tokens").asInt())
                    .containsExactly(5, 2, 0, 0);
        }
    }

    @Test
    void theFailureAfterTheLastContinuationIsTheCallers() throws Exception {
        try (FaultServer server = engine(false, number -> 2);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThatExceptionOfType(ConnectionLostException.class)
                    .isThrownBy(() -> client.generateContinued(request().build(), 2));
            assertThat(asked).hasSize(3);
        }
    }

    @Test
    void aLostEndOfTheStreamIsNoReasonToAskAgain() throws Exception {
        FaultServer.Script script = connection -> {
            asked.add(JsonText.read(connection.body()));
            connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
            event(connection, 0, 3, 0, BUDGET, false);
            connection.close();
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThat(client.generateContinued(request().build(), 1).outputIds())
                    .isEqualTo(UNDISTURBED);
            assertThat(asked).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 422})
    void aRefusedRequestIsNotRepeated(int status) throws Exception {
        FaultServer.Script script = connection -> {
            asked.add(JsonText.read(connection.body()));
            connection.write("HTTP/1.1 " + status + " No\r\nContent-Length: 0\r\n\r\n");
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            assertThatExceptionOfType(ServerStatusException.class)
                    .isThrownBy(() -> client.generateContinued(request().build(), 5));
            assertThat(asked).hasSize(1);
        }
    }

    @Test
    void whatCannotBeContinuedIsRefusedBeforeItIsSent() {
        Map<String, GenerateRequest> requests = Map.of(
                "inputIds",
                        GenerateRequest.builder()
                                .text("x")
                                .samplingParam("max_new_tokens", 8)
                                .build(),
                "max_new_tokens", GenerateRequest.builder().inputIds(PROMPT).build(),
                "'stop'", request().samplingParam("stop", "\n").build(),
                "'json_schema'", request().jsonSchema(Map.of("type", "object")).build(),
                "'frequency_penalty'",
                        request().samplingParam("frequency_penalty", 0.5).build(),
                "'n'", request().samplingParam("n", 2).build(),
                "'session_params'",
                        request().extra("session_params", Map.of("id", "s")).build());
        try (InferenceHttpClient client = Clients.of("http://127.0.0.1:1").build()) {
            requests.forEach((why, request) -> assertThatIllegalArgumentException()
                    .isThrownBy(() -> client.generateContinuedStream(request, 1))
                    .withMessageContaining("cannot be continued")
                    .withMessageContaining(why));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> client.generateContinuedStream(request().build(), 0));
        }
    }

    /** Demand that is left when an engine fails is asked of the next one, and no more. */
    @Test
    void aSlowReaderGetsWhatItAsksFor() throws Exception {
        try (FaultServer server = engine(false, number -> number == 0 ? 4 : BUDGET);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            List<ContinuedGeneration> events = new ArrayList<>();
            ConcurrentLinkedQueue<Throwable> ends = new ConcurrentLinkedQueue<>();
            var reader = new Flow.Subscriber<ContinuedGeneration>() {
                private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

                @Override
                public void onSubscribe(Flow.Subscription given) {
                    subscription.complete(given);
                    given.request(6);
                }

                @Override
                public synchronized void onNext(ContinuedGeneration event) {
                    events.add(event);
                }

                @Override
                public void onError(Throwable failure) {
                    ends.add(failure);
                }

                @Override
                public void onComplete() {
                    ends.add(new AssertionError("complete"));
                }

                synchronized int seen() {
                    return events.size();
                }
            };
            client.generateContinuedStream(request().build(), 1).subscribe(reader);

            await().until(() -> reader.seen() == 6);
            assertThat(ends).isEmpty();
            reader.subscription.join().request(2);
            await().until(() -> reader.seen() == 8);
            assertThat(events.get(7).outputIds()).isEqualTo(UNDISTURBED.subList(0, 8));
            reader.subscription.join().cancel();
            await().until(() -> server.openConnections() == 0);
            assertThat(reader.seen()).isEqualTo(8);
            assertThat(asked).hasSize(2);
        }
    }

    @Test
    void whatASubscriberThrowsIsItsOwnFailure() throws Exception {
        try (FaultServer server = engine(false, number -> BUDGET);
                InferenceHttpClient client = Clients.of(server.url()).build()) {
            ConcurrentLinkedQueue<Throwable> ends = new ConcurrentLinkedQueue<>();
            client.generateContinuedStream(request().build(), 3).subscribe(new Flow.Subscriber<>() {
                @Override
                public void onSubscribe(Flow.Subscription subscription) {
                    subscription.request(Long.MAX_VALUE);
                }

                @Override
                public void onNext(ContinuedGeneration event) {
                    throw new IllegalStateException("mine");
                }

                @Override
                public void onError(Throwable failure) {
                    ends.add(failure);
                }

                @Override
                public void onComplete() {}
            });
            await().until(() -> !ends.isEmpty());
            assertThat(ends).singleElement().isInstanceOf(IllegalStateException.class);
            assertThat(asked.stream().filter(body -> body.has("input_ids"))).hasSize(1);
        }
    }
}
