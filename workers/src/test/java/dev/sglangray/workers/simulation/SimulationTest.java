/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The protocol under many seeds, and planted bugs, which must be found. */
class SimulationTest {
    private static final long SEEDS = 20_000;
    private static final long SEEDS_FOR_A_BUG = 3_000;

    @Test
    void theProtocolHoldsUnderEverySeed() throws InterruptedException {
        holds(0, SEEDS);
    }

    /** By hand: {@code -Dsimulation.seeds=2000000 -Dsimulation.first=20000}. */
    @Test
    @EnabledIfSystemProperty(named = "simulation.seeds", matches = "\\d+")
    void manySeeds() throws InterruptedException {
        holds(Long.getLong("simulation.first", SEEDS), Long.getLong("simulation.seeds"));
    }

    private static void holds(long first, long count) throws InterruptedException {
        Long failed = SimulationMain.firstFailure(first, count, Mutation.NONE);
        if (failed != null) {
            fail("seed " + failed + " fails:\n" + Shrinker.report(failed, Mutation.NONE, null));
        }
    }

    /** By hand: {@code -Dsimulation.replay='SEED MUTATION ACTS'}, as a failure prints it. */
    @Test
    @EnabledIfSystemProperty(named = "simulation.replay", matches = ".+")
    void replay() {
        String[] words = System.getProperty("simulation.replay").strip().split(" ", -1);
        fail(Shrinker.report(
                Long.parseLong(words[0]),
                Mutation.valueOf(words[1]),
                words.length > 2 ? Shrinker.acts(words[2]) : null));
    }

    @ParameterizedTest
    @EnumSource(value = Mutation.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aPlantedBugIsFound(Mutation mutation) throws InterruptedException {
        Map<Mutation, Long> found = new TreeMap<>();
        Long seed = SimulationMain.firstFailure(0, SEEDS_FOR_A_BUG, mutation);
        if (seed != null) {
            found.put(mutation, seed);
        }
        assertThat(found).as("the first seed that finds it").containsKey(mutation);
    }
}
