/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RepeatTest {
    private static final Duration FOR_EVER = Duration.ofDays(1);

    private final AtomicInteger looks = new AtomicInteger();

    @AfterEach
    void noInterruptIsLeft() {
        boolean unused = Thread.interrupted();
    }

    @Test
    void looksUntilALookWantsNoOther() {
        Repeat.untilInterrupted(Duration.ofMillis(1), () -> looks.incrementAndGet() < 3);

        assertThat(looks).hasValue(3);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void anInterruptEndsThePauseAndStays() {
        Repeat.untilInterrupted(FOR_EVER, () -> {
            looks.incrementAndGet();
            Thread.currentThread().interrupt();
            return true;
        });

        assertThat(looks).hasValue(1);
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
    }

    @Test
    void anInterruptOfALookEndsTheLooks() {
        Repeat.untilInterrupted(FOR_EVER, () -> {
            throw new InterruptedException();
        });

        assertThat(Thread.currentThread().isInterrupted()).isTrue();
    }

    @Test
    void aFailureOfALookIsTheCallers() {
        assertThatThrownBy(() -> Repeat.untilInterrupted(FOR_EVER, () -> {
                    throw new FleetLostException("gone");
                }))
                .hasMessage("gone");
    }
}
