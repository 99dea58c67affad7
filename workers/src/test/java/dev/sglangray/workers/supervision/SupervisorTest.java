/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** That decisions are carried out, on threads that go. */
class SupervisorTest {
    private final MonotonicClock clock = new MonotonicClock();
    private final EventJournal journal = new EventJournal("engines:0", clock, text -> text.replace("hunter2", "***"));
    private final List<String> deeds = new CopyOnWriteArrayList<>();
    private final CountDownLatch interrupted = new CountDownLatch(1);
    private volatile boolean blocks;
    private final Supervisor supervisor = new Supervisor(
            "under-test",
            new Reconciler(
                    "engine",
                    new SupervisionPolicy(
                            RestartMode.ALWAYS,
                            3,
                            60,
                            0.01,
                            0.05,
                            ProbeKind.HEALTH,
                            0.02,
                            1,
                            2,
                            OnDegraded.CONTINUE,
                            OnNodeLoss.WAIT,
                            30),
                    clock,
                    journal),
            clock,
            new FakeHands());

    private final class FakeHands implements Hands {
        @Override
        public void start(int incarnation) {
            deeds.add("start " + incarnation);
            if (blocks) {
                try {
                    new CountDownLatch(1).await();
                } catch (InterruptedException e) {
                    interrupted.countDown();
                    Thread.currentThread().interrupt();
                }
            }
            if (incarnation == 1) {
                throw new IllegalStateException("no memory, key hunter2");
            }
        }

        @Override
        public void end(boolean gently) {
            deeds.add("end " + gently);
        }

        @Override
        public void probe() {
            throw new IllegalStateException("HTTP 503");
        }

        @Override
        public void publish() {
            deeds.add("publish");
        }

        @Override
        public void withdraw() {
            deeds.add("withdraw");
        }

        @Override
        public void changed(Standing standing) {}
    }

    @AfterEach
    void close() {
        supervisor.close();
    }

    @Test
    void aHungEngineIsEndedStartedAndPublishedAgain() {
        supervisor.signal(new Signal.Adopted());
        await().until(() -> deeds.contains("publish"));
        assertThat(deeds).contains("end false", "withdraw", "start 1", "start 2");
        assertThat(journal.from(0))
                .extracting(Event::kind)
                .startsWith(EventKind.STARTED, EventKind.PROBE_FAILED, EventKind.PROBE_FAILED, EventKind.UNRESPONSIVE)
                .contains(EventKind.START_FAILED, EventKind.RECOVERED);
        assertThat(journal.from(0)).extracting(Event::text).noneMatch(text -> text.contains("hunter2"));
        assertThat(journal.from(4)).first().extracting(Event::number).isEqualTo(4L);
    }

    @Test
    void closingInterruptsWhatIsUnderWayAndLeavesNoThread() throws Exception {
        blocks = true;
        supervisor.signal(new Signal.Inherited(0, List.of()));
        await().until(() -> deeds.contains("start 1"));
        supervisor.close();
        interrupted.await();
        await().atMost(Duration.ofSeconds(5)).until(() -> threads().isEmpty());
        supervisor.signal(new Signal.Tick());
    }

    private static List<String> threads() {
        Set<Thread> all = Thread.getAllStackTraces().keySet();
        return all.stream()
                .filter(Thread::isAlive)
                .map(Thread::getName)
                .filter(name -> name.endsWith("-under-test"))
                .toList();
    }
}
