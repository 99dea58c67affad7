/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The protocol under many seeds, and planted bugs, which must be found. */
class SimulationTest {
    private static final long SEEDS = 20_000;
    private static final long SEEDS_FOR_A_BUG = 3_000;

    /**
     * The protocol heals these by other means than the one that they take away, so that nothing wrong can be seen. After a suspicion
     * the engine's worker, or its successor, makes a new statement by itself. A pause that outlives its end keeps an engine out, and
     * never in; and each caller of a simulation ends its pauses once more in the end.
     */
    private static final Set<Mutation> HEALED =
            EnumSet.of(Mutation.SUSPICION_FORGOTTEN, Mutation.PAUSE_OUTLIVES_RESUME);

    @Test
    void theProtocolHoldsUnderEverySeed() throws InterruptedException {
        Long failed = SimulationMain.firstFailure(0, SEEDS, Mutation.NONE);
        if (failed != null) {
            fail("seed " + failed + " fails:\n" + Shrinker.report(failed, Mutation.NONE, null));
        }
    }

    @Test
    void plantedBugsAreFound() throws InterruptedException {
        Map<Mutation, Long> found = new TreeMap<>();
        EnumSet<Mutation> planted = EnumSet.complementOf(EnumSet.of(Mutation.NONE));
        planted.removeAll(HEALED);
        for (Mutation mutation : planted) {
            Long seed = SimulationMain.firstFailure(0, SEEDS_FOR_A_BUG, mutation);
            System.out.println(mutation + (seed == null ? " is not found" : " is found by seed " + seed));
            if (seed != null) {
                found.put(mutation, seed);
            }
        }
        assertThat(found.keySet()).isEqualTo(planted);
    }
}
