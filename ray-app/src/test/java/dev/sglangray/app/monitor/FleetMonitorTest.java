/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.EventKind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Looks at a fake fleet, and those who receive them. */
class FleetMonitorTest {
    private final FakeFleet fleet = new FakeFleet(2);

    private static final class Receiver implements LookListener {
        final List<FleetLook> looks = new ArrayList<>();
        final BlockingQueue<Instant> times = new ArrayBlockingQueue<>(100);
        Duration interval = Duration.ofHours(1);
        boolean load;
        int missed;
        boolean closed;

        @Override
        public Duration interval() {
            return interval;
        }

        @Override
        public boolean wantsLoad() {
            return load;
        }

        @Override
        public void saw(FleetLook look, Duration took, Instant at) {
            looks.add(look);
            times.add(at);
        }

        @Override
        public void missed(RuntimeException failure, Instant at) {
            missed++;
        }

        @Override
        public void close() {
            closed = true;
        }

        List<String> texts(int look) {
            return looks.get(look).engines().get(0).worker().events().stream()
                    .map(Event::text)
                    .toList();
        }
    }

    @Test
    void anEventIsInOneLookOnly() {
        Receiver receiver = new Receiver();
        FleetMonitor monitor = new FleetMonitor(fleet, () -> fleet.now);
        monitor.add(receiver);
        fleet.happens(fleet.engine(0), EventKind.STARTED, "one");
        monitor.look();
        fleet.happens(fleet.engine(0), EventKind.EXITED, "two");
        monitor.look();
        monitor.look();
        assertThat(receiver.texts(0)).containsExactly("one");
        assertThat(receiver.texts(1)).containsExactly("two");
        assertThat(receiver.texts(2)).isEmpty();
    }

    @Test
    void theEventsOfAnotherProcessComeFromTheirBegin() {
        Receiver receiver = new Receiver();
        FleetMonitor monitor = new FleetMonitor(fleet, () -> fleet.now);
        monitor.add(receiver);
        fleet.happens(fleet.engine(0), EventKind.STARTED, "one");
        monitor.look();
        fleet.engine(0).replaced();
        fleet.happens(fleet.engine(0), EventKind.WORKER_RESTARTED, "another");
        fleet.happens(fleet.engine(0), EventKind.STARTED, "started");
        monitor.look();
        monitor.look();
        assertThat(receiver.looks.get(1).engines().get(0).worker().replaced()).isTrue();
        assertThat(receiver.texts(1)).isEmpty();
        assertThat(receiver.looks.get(2).engines().get(0).worker().replaced()).isFalse();
        assertThat(receiver.texts(2)).containsExactly("another", "started");
    }

    @Test
    void asksForTheLoadOnlyWhereThatIsWanted() {
        Receiver receiver = new Receiver();
        FleetMonitor monitor = new FleetMonitor(fleet, () -> fleet.now);
        monitor.add(receiver);
        fleet.load(1, new EngineLoad(3, 4, 5.0, 0.5));
        monitor.look();
        receiver.load = true;
        monitor.look();
        assertThat(receiver.looks.get(0).engines().get(1).load()).isNull();
        assertThat(receiver.looks.get(1).engines().get(1).load()).isEqualTo(new EngineLoad(3, 4, 5.0, 0.5));
        assertThat(receiver.looks.get(1).engines().get(0).load()).isNull();
    }

    @Test
    void aLookThatFailsIsSaidAndTheNextOneTriesAgain() {
        Receiver receiver = new Receiver();
        FleetMonitor monitor = new FleetMonitor(fleet, () -> fleet.now);
        monitor.add(receiver);
        fleet.failure = new IllegalStateException("Ray does not answer");
        monitor.look();
        fleet.failure = null;
        monitor.look();
        assertThat(receiver.missed).isEqualTo(1);
        assertThat(receiver.looks).hasSize(1);
    }

    @Test
    void theShortestIntervalHoldsAndTheNextLookCanBeHurried() throws InterruptedException {
        Receiver slow = new Receiver();
        try (FleetMonitor monitor = new FleetMonitor(fleet, () -> fleet.now)) {
            monitor.add(slow);
            monitor.start();
            assertThat(slow.times.poll(20, TimeUnit.SECONDS)).isNotNull();
            monitor.soon();
            assertThat(slow.times.poll(20, TimeUnit.SECONDS)).isNotNull();
            Receiver quick = new Receiver();
            quick.interval = Duration.ofMillis(1);
            monitor.add(quick);
            for (int i = 0; i < 5; i++) {
                assertThat(quick.times.poll(20, TimeUnit.SECONDS)).isNotNull();
            }
        }
        assertThat(slow.closed).isTrue();
    }
}
