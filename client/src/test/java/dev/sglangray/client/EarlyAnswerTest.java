/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A server may refuse a request before it has read it as a whole: the caller hears what it said, and the request is not repeated. */
@Timeout(30)
class EarlyAnswerTest {
    /** More than the sockets' buffers hold. */
    private static final int LARGE = 12_000_000;

    /** What a server does with the rest of the request after its answer; whether it takes another one on the connection. */
    enum Rest {
        /** Its connection ends at once, with unread bytes: the client's side is reset. */
        CLOSED {
            @Override
            boolean leave(FaultServer.Connection connection, int length) {
                return false;
            }
        },
        /** It stays open and is not read: the client's side is full. */
        IGNORED {
            @Override
            boolean leave(FaultServer.Connection connection, int length) throws InterruptedException {
                connection.pause(20_000);
                return false;
            }
        },
        /** It is read and thrown away. */
        DRAINED {
            @Override
            boolean leave(FaultServer.Connection connection, int length) throws java.io.IOException {
                connection.readSome(length);
                return true;
            }
        };

        abstract boolean leave(FaultServer.Connection connection, int length)
                throws java.io.IOException, InterruptedException;
    }

    static Stream<Arguments> answers() {
        List<Arguments> all = new ArrayList<>();
        for (Rest rest : Rest.values()) {
            int[] some = rest == Rest.CLOSED ? new int[] {401, 413, 429, 503} : new int[] {413, 503};
            for (int status : some) {
                all.add(Arguments.of(rest, status, LARGE));
            }
            all.add(Arguments.of(rest, 413, 10));
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("answers")
    void theCallerHearsStatusAndWords(Rest rest, int status, int size) throws Exception {
        try (FaultServer server = FaultServer.early(refusal(status, rest));
                InferenceHttpClient client = client(server)) {
            ServerStatusException e =
                    catchThrowableOfType(ServerStatusException.class, () -> client.generate(request(size)));
            assertThat(e.status()).isEqualTo(status);
            assertThat(e.serverMessage()).isEqualTo("not that");
            assertThat(server.accepted()).as("connections").isBetween(fewest(rest, status), tries(status));
        }
    }

    @ParameterizedTest
    @MethodSource("answers")
    void aStreamHearsThemToo(Rest rest, int status, int size) throws Exception {
        try (FaultServer server = FaultServer.early(refusal(status, rest));
                InferenceHttpClient client = client(server);
                StreamIterator<Generation> events =
                        client.generateStream(request(size)).open()) {
            ServerStatusException e = catchThrowableOfType(ServerStatusException.class, events::next);
            assertThat(e.status()).isEqualTo(status);
            assertThat(e.serverMessage()).isEqualTo("not that");
            assertThat(server.accepted()).as("connections").isBetween(fewest(rest, status), tries(status));
        }
    }

    /** Half of the request is on its way still: the connection must not carry another one. */
    @Test
    void aConnectionWithHalfARequestIsNotUsedAgain() throws Exception {
        try (FaultServer server = FaultServer.early(refusal(413, Rest.IGNORED));
                InferenceHttpClient client = client(server)) {
            for (int i = 1; i <= 3; i++) {
                assertThatExceptionOfType(ServerStatusException.class)
                        .isThrownBy(() -> client.generate(request(LARGE)));
                assertThat(server.accepted()).isEqualTo(i);
            }
        }
    }

    @Test
    void anEarlySuccessIsOne() throws Exception {
        FaultServer.Script script = connection -> {
            connection.answer("{\"text\": \"a\"}");
            connection.pause(20_000);
        };
        try (FaultServer server = FaultServer.early(script);
                InferenceHttpClient client = client(server)) {
            assertThat(client.generate(request(LARGE)).text()).isEqualTo("a");
        }
    }

    /** What is known of a refusal whose rest never comes is the refusal. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRefusalThatIsCutShortIsARefusal(boolean reset) throws Exception {
        FaultServer.Script script = connection -> {
            connection.write("HTTP/1.1 401 No\r\nContent-Length: 500\r\n\r\nno key");
            if (reset) {
                connection.reset();
            } else {
                connection.awaitHangUp();
            }
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client =
                        client(server).withOptions(o -> o.withReadTimeout(Duration.ofMillis(300)))) {
            for (boolean stream : new boolean[] {false, true}) {
                ServerStatusException e =
                        catchThrowableOfType(ServerStatusException.class, () -> ask(client, request(10), stream));
                assertThat(e.status()).isEqualTo(401);
                assertThat(e.serverMessage()).isIn("no key", "");
            }
            assertThat(server.requests()).isEqualTo(2);
        }
    }

    /** The words of a refusal are shown as far as they are of use; the rest is not waited for. */
    @Test
    void anEndlessRefusalEnds() throws Exception {
        String piece = "x".repeat(64 << 10);
        FaultServer.Script script = connection -> {
            connection.write("HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n");
            while (true) {
                connection.write(piece);
            }
        };
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = client(server).withOptions(o -> o.withRepeatProcessed(false))) {
            for (boolean stream : new boolean[] {false, true}) {
                ServerStatusException e =
                        catchThrowableOfType(ServerStatusException.class, () -> ask(client, request(10), stream));
                assertThat(e.status()).isEqualTo(500);
                assertThat(e.serverMessage()).startsWith("xxx");
            }
        }
    }

    /** HTTP libraries act on some of these by themselves: repeat the request, ask for a password, wait for another protocol. */
    @ParameterizedTest
    @ValueSource(ints = {101, 300, 307, 407, 408, 417, 421, 426, 511, 599})
    void anyOtherStatusIsTheCallersToo(int status) throws Exception {
        FaultServer.Script script = connection -> connection.write(
                "HTTP/1.1 " + status + " Word\r\nLocation: /elsewhere\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n");
        try (FaultServer server = new FaultServer(script);
                InferenceHttpClient client = client(server)) {
            for (boolean stream : new boolean[] {false, true}) {
                ServerStatusException e =
                        catchThrowableOfType(ServerStatusException.class, () -> ask(client, request(10), stream));
                assertThat(e.status()).isEqualTo(status);
            }
            assertThat(server.requests()).isEqualTo(2);
        }
    }

    /** The server neither reads nor answers: its silence is what ends the call, in the middle of the request too. */
    @Test
    void aRequestThatIsNotTakenEndsAfterTheReadTimeout() throws Exception {
        try (FaultServer server = FaultServer.early(connection -> connection.pause(20_000));
                InferenceHttpClient client = client(server)
                        .withOptions(
                                o -> o.withReadTimeout(Duration.ofMillis(300)).withMaxRetries(0))) {
            assertThatExceptionOfType(RequestTimeoutException.class)
                    .isThrownBy(() -> client.generate(request(LARGE)))
                    .withMessageContaining("read timeout of PT0.3S");
        }
    }

    private static Object ask(InferenceHttpClient client, GenerateRequest request, boolean stream) {
        if (!stream) {
            return client.generate(request);
        }
        try (StreamIterator<Generation> events = client.generateStream(request).open()) {
            return events.next();
        }
    }

    private static FaultServer.Script refusal(int status, Rest rest) {
        String words = "{\"error\": {\"message\": \"not that\"}}";
        String answer = "HTTP/1.1 " + status + " Refused\r\nContent-Type: application/json\r\nContent-Length: "
                + words.length() + "\r\n" + (rest == Rest.CLOSED ? "Connection: close\r\n" : "") + "\r\n" + words;
        return connection -> {
            int length;
            do {
                // The head of the request alone, so that it is under way when the answer comes.
                length = connection.readHead();
                if (length < 0) {
                    return;
                }
                connection.write(answer);
            } while (rest.leave(connection, length));
        };
    }

    /** A 503 says that the request was not worked on; the others are final, however the connection ended. */
    private static int tries(int status) {
        return status == 503 ? 2 : 1;
    }

    /** Where the request was taken as a whole, the connection is as good as new. */
    private static int fewest(Rest rest, int status) {
        return rest == Rest.DRAINED ? 1 : tries(status);
    }

    private static InferenceHttpClient client(FaultServer server) {
        return Clients.of(server.url())
                .abortOnCancel(false)
                .maxRetries(1)
                .repeatProcessed(true)
                .retryBackoff(Duration.ZERO)
                .build();
    }

    private static GenerateRequest request(int size) {
        return GenerateRequest.builder().text("x".repeat(size)).build();
    }
}
