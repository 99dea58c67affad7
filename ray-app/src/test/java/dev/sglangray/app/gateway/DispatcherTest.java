/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.protocol.BucketReference;
import dev.sglangray.workers.protocol.PauseMode;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DispatcherTest {
    private final Dispatcher dispatcher = new Dispatcher(Map.of(
            "server",
            Map.of(
                    "get_server_url",
                            arguments -> CompletableFuture.completedFuture(List.of("http://a:1", "http://b:2")),
                    "status",
                            arguments -> CompletableFuture.completedFuture(
                                    Arrays.stream(arguments.ranks()).boxed().toList()),
                    "log_tail", arguments -> CompletableFuture.completedFuture(arguments.integer("lines", 40)),
                    "drain",
                            arguments -> CompletableFuture.completedFuture(arguments
                                    .seconds("timeout", Duration.ofSeconds(7))
                                    .toMillis()),
                    "pause",
                            arguments -> CompletableFuture.completedFuture(arguments
                                    .word("mode", PauseMode.class, PauseMode.ABORT)
                                    .name()),
                    "restart", arguments -> CompletableFuture.failedFuture(failure()),
                    "register", arguments -> CompletableFuture.completedFuture(arguments.text("api_key")),
                    "update",
                            arguments -> CompletableFuture.completedFuture(
                                    arguments.record("buckets", BucketReference.class).orElseThrow().sizes().stream()
                                            .mapToLong(Long::longValue)
                                            .sum()),
                    "overflow", arguments -> overflow(),
                    "unwritable", arguments -> CompletableFuture.completedFuture(new Object()))));
    private final OperationThreads threads = new OperationThreads("test");

    @AfterEach
    void endThreads() {
        threads.close();
    }

    private static CompletableFuture<String> overflow() {
        throw new StackOverflowError();
    }

    private static WorkerException failure() {
        WorkerException failure = new WorkerException(
                "Engines", 1, "10.0.0.2", "restart", "no memory", new IllegalStateException("died"));
        failure.addSuppressed(new IllegalStateException("rank 2 too"));
        return failure;
    }

    private JsonNode answer(String request) {
        try {
            return new ObjectMapper()
                    .readTree(dispatcher.answer(request, threads).join());
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    private static String request(String method, String arguments) {
        return "{\"group\": \"server\", \"method\": \"%s\", \"ranks\": [], \"arguments\": %s}"
                .formatted(method, arguments);
    }

    @Test
    void answersWithTheResultAndItsTime() {
        JsonNode answer = answer(request("get_server_url", "{}"));
        assertThat(answer.path("result").toString()).isEqualTo("[\"http://a:1\",\"http://b:2\"]");
        assertThat(answer.path("seconds").isNumber()).isTrue();
    }

    @Test
    void passesRanksOn() {
        assertThat(answer("{\"group\": \"server\", \"method\": \"status\", \"ranks\": [1, 3]}")
                        .path("result")
                        .toString())
                .isEqualTo("[1,3]");
        assertThat(answer("{\"group\": \"server\", \"method\": \"status\", \"ranks\": [\"1\"]}")
                        .at("/error/type")
                        .asText())
                .isEqualTo("request");
    }

    @Test
    void aWorkersFailureKeepsAllThatIsKnownOfIt() {
        JsonNode error = answer(request("restart", "{}")).path("error");
        assertThat(error.path("type").asText()).isEqualTo("worker");
        assertThat(error.path("group").asText()).isEqualTo("Engines");
        assertThat(error.path("rank").asInt()).isEqualTo(1);
        assertThat(error.path("node").asText()).isEqualTo("10.0.0.2");
        assertThat(error.path("method").asText()).isEqualTo("restart");
        assertThat(error.path("cause").asText()).isEqualTo("java.lang.IllegalStateException: died");
        assertThat(error.path("others").toString()).isEqualTo("[\"rank 2 too\"]");
        assertThat(error.path("message").asText()).contains("no memory");
    }

    @ParameterizedTest
    @ValueSource(strings = {"overflow", "unwritable"})
    void answersWhateverIsThrown(String method) {
        assertThat(answer(request(method, "{}")).at("/error/type").asText()).isEqualTo("internal");
    }

    @Test
    void refusesWhatIsNestedTooDeep() {
        assertThat(answer("[".repeat(200_000)).at("/error/type").asText()).isEqualTo("request");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "not JSON | a request must be JSON",
                "{\"group\": \"router\"} | this fleet has no router group; it has: server",
                "{\"group\": \"server\", \"method\": \"get_server_urls\"} | did you mean 'get_server_url'?",
                "{\"group\": \"server\", \"method\": \"xyz\"} | it knows: drain, get_server_url, log_tail",
                "{\"group\": \"server\", \"method\": \"log_tail\", \"arguments\": {\"lines\": 1.5}} | 'lines' must be a whole number, not 1.5",
                "{\"group\": \"server\", \"method\": \"drain\", \"arguments\": {\"timeout\": 0}} | 'timeout' must be a number of seconds above 0, not 0",
                "{\"group\": \"server\", \"method\": \"register\", \"arguments\": {\"api_key\": 12345}} | must be a text, not what it is (not shown)",
                "{\"group\": \"server\", \"method\": \"update\", \"arguments\": {\"buckets\": [{}]}} | 'buckets' is not what this fleet's version takes",
                "{\"group\": \"server\", \"method\": \"update\", \"arguments\": {\"buckets\": {\"sizes\": [9]}}} | 'buckets' is not what this fleet's version takes",
                "{\"group\": \"server\", \"method\": \"pause\", \"arguments\": {\"mode\": \"stop\"}} | must be one of abort, retract, in_place, not 'stop'",
            })
    void refusesWhatItCannotDo(String request, String words) {
        JsonNode error = answer(request).path("error");
        assertThat(error.path("type").asText()).isEqualTo("request");
        assertThat(error.path("message").asText()).contains(words);
    }

    @Test
    void bucketsAreAReference() {
        String reference =
                "{\"buckets\": {\"actor\": \"a\", \"namespace\": \"n\", \"update\": \"u\", \"sizes\": [9, 3000000000]}}";
        assertThat(answer(request("update", reference)).path("result").asLong()).isEqualTo(3_000_000_009L);
    }

    @Test
    void absentAndNullArgumentsHaveDefaults() {
        assertThat(answer(request("log_tail", "{}")).path("result").asInt()).isEqualTo(40);
        assertThat(answer(request("log_tail", "{\"lines\": null}"))
                        .path("result")
                        .asInt())
                .isEqualTo(40);
        assertThat(answer(request("drain", "{\"timeout\": 0.5}")).path("result").asInt())
                .isEqualTo(500);
        assertThat(answer(request("pause", "{\"mode\": \"in_place\"}"))
                        .path("result")
                        .asText())
                .isEqualTo("IN_PLACE");
    }
}
