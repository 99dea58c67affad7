/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PacedTest {
    private static final Duration WORK = Duration.ofMillis(100);

    private final ManualLoop loop = new ManualLoop();
    private final Instant begin = loop.now();
    private final List<Duration> runs = new ArrayList<>();
    private int size = Paced.LITTLE + 1;
    private final Paced paced = new Paced(loop, () -> size, () -> {
        runs.add(Duration.between(begin, loop.now()));
        loop.take(WORK);
    });

    @Test
    void littleRunsAtOnceHoweverLongItTook() {
        size = Paced.LITTLE;
        for (int i = 0; i < 3; i++) {
            paced.run();
            assertThat(paced.isWaiting()).isFalse();
        }
        assertThat(runs).containsExactly(Duration.ZERO, WORK, WORK.multipliedBy(2));
    }

    @Test
    void muchTakesAFifthOfTheTimeAndWhatIsAskedMeanwhileIsDoneTogether() {
        paced.run();
        assertThat(paced.isWaiting()).isFalse();
        for (int i = 0; i < 50; i++) {
            paced.run();
            assertThat(paced.isWaiting()).isTrue();
        }
        loop.pass(Duration.ofSeconds(1));
        assertThat(runs).containsExactly(Duration.ZERO, WORK.multipliedBy(5));
        assertThat(paced.isWaiting()).isFalse();
    }

    @Test
    void aTaskThatTakesNoTimeIsNeverHeldBack() {
        List<Integer> cheap = new ArrayList<>();
        Paced free = new Paced(loop, () -> size, () -> cheap.add(cheap.size()));
        free.run();
        free.run();
        free.run();
        assertThat(cheap).hasSize(3);
    }

    /** One that waits and becomes little meanwhile is run once, at its time. */
    @Test
    void aWaitingRunIsNotLost() {
        paced.run();
        paced.run();
        size = 1;
        paced.run();
        loop.pass(Duration.ofSeconds(1));
        assertThat(runs).hasSize(2);
    }
}
