/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class GatewayLoopTest {
    private final FakeMailbox mailbox = new FakeMailbox();
    private final CompletableFuture<String> slow = new CompletableFuture<>();
    private final GatewayLoop loop = new GatewayLoop(
            "test:gateway",
            mailbox,
            new Dispatcher(Map.of(
                    "server",
                    Map.of(
                            "quick", arguments -> CompletableFuture.completedFuture("done"),
                            "slow", arguments -> slow,
                            "blocking", arguments -> CompletableFuture.completedFuture(slow.join())))),
            Duration.ofMillis(1));

    @AfterEach
    void close() {
        slow.complete("released");
        loop.close();
    }

    /** Holds each question until the test gives requests or a failure. */
    private static final class FakeMailbox implements Mailbox {
        final BlockingQueue<CompletableFuture<String>> questions = new LinkedBlockingQueue<>();
        final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
        final BlockingQueue<String> told = new LinkedBlockingQueue<>();
        final AtomicInteger asked = new AtomicInteger();

        @Override
        public CompletableFuture<String> next(double waitSeconds) {
            CompletableFuture<String> question = new CompletableFuture<>();
            asked.incrementAndGet();
            questions.add(question);
            return question;
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
    void asksAgainAfterNothingAndAfterAFailure() throws InterruptedException {
        loop.start();
        mailbox.give("[]");
        mailbox.take().completeExceptionally(new IllegalStateException("restarting"));
        mailbox.give("this is no JSON");
        mailbox.give("[" + request(1, "quick") + "]");
        assertThat(answer()).isEqualTo("1 {\"result\":\"done\"");
    }

    @Test
    void givesUpOnAMailboxThatNeverAnswers() {
        loop.start();
        for (int i = 0; i <= GatewayLoop.PATIENCE; i++) {
            mailbox.take().completeExceptionally(new IllegalStateException("dead"));
        }
        Awaitility.await()
                .during(Duration.ofMillis(100))
                .atMost(Duration.ofSeconds(5))
                .until(() -> mailbox.asked.get() == GatewayLoop.PATIENCE + 1);
    }

    @Test
    void onceClosedItAsksAndAnswersNoMore() {
        loop.start();
        mailbox.give("[" + request(1, "slow") + "]");
        CompletableFuture<String> pending = mailbox.take();
        loop.close();
        slow.complete("too late");
        pending.complete("[" + request(2, "quick") + "]");
        Awaitility.await()
                .during(Duration.ofMillis(100))
                .atMost(Duration.ofSeconds(5))
                .until(() -> mailbox.answers.isEmpty() && mailbox.asked.get() == 2);
    }
}
