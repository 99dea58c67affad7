/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class GatewayLoopTest {
    private final FakeMailbox mailbox = new FakeMailbox();
    private final CompletableFuture<String> slow = new CompletableFuture<>();
    private final BlockingQueue<String> begun = new LinkedBlockingQueue<>();
    private final GatewayLoop loop = new GatewayLoop(
            "test:gateway",
            mailbox,
            new Dispatcher(Map.of(
                    "server",
                    Map.of(
                            "quick", arguments -> begin("quick", "done"),
                            "slow", arguments -> slow,
                            "blocking", GatewayMethod.blocking(arguments -> slow.join())))),
            Duration.ofMillis(1));

    private CompletableFuture<String> begin(String what, String answer) {
        begun.add(what);
        return CompletableFuture.completedFuture(answer);
    }

    @AfterEach
    void close() {
        slow.complete("released");
        loop.close();
    }

    /** Holds each question until the test gives requests or a failure; every request is wanted unless the test says so. */
    private static final class FakeMailbox implements Mailbox {
        final BlockingQueue<CompletableFuture<String>> questions = new LinkedBlockingQueue<>();
        final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        final BlockingQueue<String> told = new LinkedBlockingQueue<>();
        volatile Function<String, CompletableFuture<String>> claims = CompletableFuture::completedFuture;

        @Override
        public CompletableFuture<String> next(double waitSeconds) {
            CompletableFuture<String> question = new CompletableFuture<>();
            questions.add(question);
            return question;
        }

        @Override
        public CompletableFuture<String> claim(String ids) {
            return claims.apply(ids);
        }

        @Override
        public void answer(long id, String json) {
            answers.add(id + " " + json.replaceAll(",\"seconds\".*", ""));
        }

        @Override
        public void tell(String factsJson) {
            told.add(factsJson);
        }

        void give(String requests) {
            take().complete(requests);
        }

        CompletableFuture<String> take() {
            try {
                CompletableFuture<String> question = questions.poll(20, TimeUnit.SECONDS);
                assertThat(question).as("a question").isNotNull();
                return question;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static String request(int id, String method) {
        return "{\"id\": %d, \"request\": \"{\\\"group\\\": \\\"server\\\", \\\"method\\\": \\\"%s\\\"}\"}"
                .formatted(id, method);
    }

    private String answer() throws InterruptedException {
        return String.valueOf(mailbox.answers.poll(20, TimeUnit.SECONDS));
    }

    @Test
    void longRequestsDoNotHoldUpShortOnes() throws InterruptedException {
        loop.start();
        mailbox.give("[" + request(1, "slow") + "," + request(2, "blocking") + "," + request(3, "quick") + "]");
        assertThat(answer()).isEqualTo("3 {\"result\":\"done\"");
        mailbox.give("[" + request(4, "quick") + "]");
        assertThat(answer()).isEqualTo("4 {\"result\":\"done\"");
        slow.complete("late");
        assertThat(new String[] {answer(), answer()})
                .containsExactlyInAnyOrder("1 {\"result\":\"late\"", "2 {\"result\":\"late\"");
    }

    @Test
    void whatBlocksIsBoundedAndStopsNothingElse() throws InterruptedException {
        loop.start();
        mailbox.give(IntStream.range(0, OperationThreads.BLOCKING)
                .mapToObj(id -> request(id, "blocking"))
                .collect(Collectors.joining(",", "[", "]")));
        mailbox.give("[" + request(100, "blocking") + "]");
        assertThat(answer()).startsWith("100 {\"error\":{\"type\":\"busy\"").contains("wait for one of them");
        for (int id = 200; id < 300; id++) {
            mailbox.give("[" + request(id, "quick") + "]");
            assertThat(answer()).isEqualTo(id + " {\"result\":\"done\"");
        }
    }

    @Test
    void whatIsNotWantedAnyMoreIsNotBegun() throws InterruptedException {
        mailbox.claims = ids -> CompletableFuture.completedFuture(ids.replace("1,", ""));
        loop.start();
        mailbox.give("[" + request(1, "slow") + "," + request(2, "quick") + "]");
        assertThat(answer()).isEqualTo("2 {\"result\":\"done\"");
        slow.complete("not wanted");
        mailbox.give("[" + request(3, "quick") + "]");
        assertThat(answer()).isEqualTo("3 {\"result\":\"done\"");
    }

    @Test
    void whatMayBeClaimedAndIsNotBegunIsAnswered() throws InterruptedException {
        mailbox.claims = ids -> CompletableFuture.failedFuture(new IllegalStateException("the answer is lost"));
        loop.start();
        mailbox.give("[" + request(1, "quick") + "," + request(2, "quick") + "]");
        assertThat(answer()).startsWith("1 {\"error\"").contains("the answer is lost");
        assertThat(answer()).startsWith("2 {\"error\"");
        assertThat(mailbox.take()).as("it asks again").isNotDone();
        assertThat(begun).isEmpty();
    }

    @Test
    void tellsWhatChangedAndTellsItASuccessorToo() throws InterruptedException {
        loop.start();
        mailbox.take().completeExceptionally(new IllegalStateException("restarting"));
        mailbox.give("[]");
        CompletableFuture<String> next = mailbox.take();
        assertThat(mailbox.told).as("nothing has changed").isEmpty();
        loop.tell("three engines");
        assertThat(mailbox.told.take()).isEqualTo("three engines");
        next.completeExceptionally(new IllegalStateException("restarting"));
        mailbox.give("[]");
        assertThat(mailbox.told.poll(20, TimeUnit.SECONDS)).isEqualTo("three engines");
    }

    @Test
    void asksAgainAfterNothingAndAfterAnyFailure() throws InterruptedException {
        loop.start();
        mailbox.give("[]");
        mailbox.take().completeExceptionally(new IllegalStateException("restarting"));
        mailbox.take().completeExceptionally(new OutOfMemoryError("for a while"));
        mailbox.give("this is no JSON");
        mailbox.give("[" + request(1, "quick") + "]");
        assertThat(answer()).isEqualTo("1 {\"result\":\"done\"");
    }

    @Test
    void givesUpOnAMailboxThatNeverAnswers() throws InterruptedException {
        loop.start();
        for (int i = 0; i <= GatewayLoop.PATIENCE; i++) {
            mailbox.take().completeExceptionally(new IllegalStateException("dead"));
        }
        assertThat(loop.awaitEnd(Duration.ofSeconds(20))).isTrue();
        assertThat(mailbox.questions).isEmpty();
    }

    @Test
    void onceClosedItAsksAndAnswersNoMore() throws InterruptedException {
        loop.start();
        mailbox.give("[" + request(1, "slow") + "]");
        CompletableFuture<String> pending = mailbox.take();
        loop.close();
        assertThat(loop.awaitEnd(Duration.ofSeconds(20))).isTrue();
        slow.complete("too late");
        pending.complete("[" + request(2, "quick") + "]");
        assertThat(mailbox.answers).isEmpty();
        assertThat(mailbox.questions).isEmpty();
        assertThat(begun).isEmpty();
    }
}
