/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.engine.RegistrationReporter.Statement;
import dev.sglangray.workers.loop.ManualLoop;
import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.ServerEndpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What a worker says, and when it says it again. */
class RegistrationReporterTest {
    private static final ServerEndpoint THERE = ServerEndpoint.regular("http://engine:1");
    private static final Statement SERVES = new Statement("", THERE, "initial");
    private static final Statement DRAINED = new Statement("drained", THERE, "initial");

    private final ManualLoop loop = new ManualLoop();
    private final List<EngineReport> reports = new ArrayList<>();
    private final List<CompletableFuture<Optional<ReportReply>>> answers = new ArrayList<>();
    private final List<ReportReply> replies = new ArrayList<>();
    private final List<Long> epochs = new ArrayList<>();
    private final List<String> events = new ArrayList<>();
    private final RegistrationReporter registration = new RegistrationReporter(
            "key",
            "engines:0",
            4,
            loop,
            report -> {
                reports.add(report);
                CompletableFuture<Optional<ReportReply>> answer = new CompletableFuture<>();
                answers.add(answer);
                return answer;
            },
            (kind, text) -> events.add(kind.name()),
            epochs::add,
            replies::add);

    private void answer(int index, long epoch, boolean listed, boolean out) {
        answers.get(index).complete(Optional.of(new ReportReply(epoch, true, listed, out, FleetWeights.INITIAL)));
    }

    private List<Long> sent() {
        return reports.stream().map(EngineReport::epoch).toList();
    }

    @Test
    void itSaysNothingBeforeThereIsSomethingToSay() {
        registration.again();
        loop.pass(Duration.ofMinutes(1));
        assertThat(reports).isEmpty();
        assertThat(registration.isAnswered()).isFalse();
    }

    @Test
    void aStatementIsMadeUnderAnEpochThatIsKeptFirst() {
        registration.say(SERVES);
        assertThat(reports).containsExactly(new EngineReport("key", "engines:0", 5, true, "", THERE, "initial"));
        assertThat(epochs).containsExactly(5L);
        registration.say(SERVES);
        assertThat(reports).hasSize(1);
        registration.again();
        assertThat(sent()).containsExactly(5L, 6L);
    }

    @Test
    void itIsServedOnceItIsListed() {
        registration.say(SERVES);
        answer(0, 5, false, false);
        assertThat(registration.isAnswered()).isTrue();
        assertThat(registration.isServed()).isFalse();
        loop.pass(Duration.ofMillis(20));
        answer(1, 5, true, false);
        assertThat(registration.isServed()).isTrue();
        assertThat(sent()).as("the same statement").containsExactly(5L, 5L);
        assertThat(events).containsExactly("PUBLISHED");
    }

    @Test
    void itIsOutOnceTheRouterIsKnownNotToSend() {
        registration.say(SERVES);
        answer(0, 5, true, false);
        registration.say(DRAINED);
        assertThat(registration.isOut()).isFalse();
        answer(1, 6, false, false);
        assertThat(registration.isOut()).isFalse();
        loop.pass(Duration.ofMillis(20));
        answer(2, 6, false, true);
        assertThat(registration.isOut()).isTrue();
        assertThat(registration.isServed()).isFalse();
        assertThat(events).containsExactly("PUBLISHED", "WITHDRAWN");
    }

    @Test
    void aNewStatementDoesNotWaitForTheAnswerToAnOlderOne() {
        registration.say(SERVES);
        registration.say(DRAINED);
        assertThat(sent()).containsExactly(5L, 6L);
        answer(1, 6, false, true);
        answer(0, 6, true, false);
        assertThat(registration.isOut())
                .as("the late answer says nothing of it")
                .isTrue();
        assertThat(replies).hasSize(1);
    }

    @Test
    void aLateFailureOfAnOlderStatementChangesNothing() {
        registration.say(SERVES);
        registration.say(DRAINED);
        answer(1, 6, false, true);
        answers.get(0).completeExceptionally(new IllegalStateException("its process is gone"));
        assertThat(events).isEmpty();
        loop.pass(Duration.ofSeconds(1));
        assertThat(reports).hasSize(2);
    }

    @Test
    void aRegistryThatKnowsAHigherEpochGetsAHigherOne() {
        registration.say(SERVES);
        answer(0, 17, true, false);
        assertThat(sent()).containsExactly(5L, 18L);
        assertThat(registration.isServed())
                .as("that answer was to another statement")
                .isFalse();
        answer(1, 18, true, false);
        assertThat(registration.isServed()).isTrue();
        assertThat(epochs).endsWith(18L);
        assertThat(replies).hasSize(1);
    }

    @Test
    void aSettledStatementIsRepeatedNowAndThen() {
        registration.say(SERVES);
        answer(0, 5, true, false);
        loop.pass(RegistrationReporter.HEARTBEAT.minusMillis(1));
        assertThat(reports).hasSize(1);
        loop.pass(Duration.ofMillis(1));
        assertThat(sent()).containsExactly(5L, 5L);
    }

    @Test
    void whileItIsNotSettledTheRegistryIsAskedSoonAndThenLessOften() {
        registration.say(SERVES);
        for (int i = 0; i < 8; i++) {
            answer(i, 5, false, false);
            loop.pass(Duration.ofMillis(500));
            assertThat(reports).hasSize(i + 2);
        }
        int asked = reports.size();
        answer(asked - 1, 5, false, false);
        loop.pass(Duration.ofMillis(499));
        assertThat(reports).hasSize(asked);
    }

    @Test
    void aReportThatFailsIsRepeatedAndToldOnce() {
        registration.say(SERVES);
        answers.get(0).completeExceptionally(new IllegalStateException("its process is gone"));
        loop.pass(Duration.ofMillis(100));
        assertThat(reports).hasSize(2);
        answers.get(1).completeExceptionally(new IllegalStateException("its process is gone"));
        loop.pass(Duration.ofMillis(199));
        assertThat(reports).hasSize(2);
        loop.pass(Duration.ofMillis(1));
        answer(2, 5, true, false);
        assertThat(registration.isServed()).isTrue();
        assertThat(events).containsExactly("TELLING_FAILED", "PUBLISHED");
    }

    @Test
    void withoutARouterItIsOutAndServedAtOnce() {
        registration.say(SERVES);
        answers.get(0).complete(Optional.empty());
        assertThat(registration.isServed()).isTrue();
        registration.say(DRAINED);
        answers.get(1).complete(Optional.empty());
        assertThat(registration.isOut()).isTrue();
    }

    @Test
    void afterItsEndItSaysNoMore() {
        registration.say(SERVES);
        registration.end();
        answer(0, 5, true, false);
        registration.say(DRAINED);
        loop.pass(Duration.ofMinutes(1));
        assertThat(reports).hasSize(1);
        assertThat(replies).isEmpty();
    }
}
