/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The gateway of a fleet that has ended must not be that of the next one. */
@Timeout(30)
class GatewayActorTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    /** How Ray says that a name is taken: at once, with an exception. */
    private static final class Name {
        final AtomicInteger looksUntilFree = new AtomicInteger();
        boolean taken;
        int ends;

        String create() {
            if (taken) {
                throw new IllegalArgumentException("the name is taken");
            }
            return "fresh";
        }

        boolean isTaken() {
            taken = taken && (ends == 0 || looksUntilFree.getAndDecrement() > 0);
            return taken;
        }

        void end() {
            ends++;
        }
    }

    @Test
    void aFreeNameIsTaken() {
        Name name = new Name();
        assertThat(GatewayActor.inPlaceOf("X:gateway", name::create, name::isTaken, name::end, LONG))
                .isEqualTo("fresh");
        assertThat(name.ends).isZero();
    }

    @Test
    void theGatewayOfAFleetThatHasEndedIsEndedFirst() {
        Name name = new Name();
        name.taken = true;
        name.looksUntilFree.set(3);
        assertThat(GatewayActor.inPlaceOf("X:gateway", name::create, name::isTaken, name::end, LONG))
                .isEqualTo("fresh");
        assertThat(name.ends).isOne();
    }

    @Test
    void oneThatCannotBeEndedIsAFailure() {
        Name name = new Name();
        name.taken = true;
        name.looksUntilFree.set(Integer.MAX_VALUE);
        assertThatThrownBy(() -> GatewayActor.inPlaceOf(
                        "X:gateway", name::create, name::isTaken, name::end, Duration.ofMillis(300)))
                .isInstanceOf(GatewayException.class)
                .hasMessageContainingAll("'X:gateway'", "`sglang-ray down --force`");
    }
}
