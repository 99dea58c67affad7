/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.autoscaling.PoolSimulation.Changed;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The decision against loads of hours. An engine computes 16 requests at once, 8 s each, so it is full at 2 requests a second and at its
 * target of 12 ongoing requests at 1.5.
 */
class AutoscalingSimulationTest {
    private static final int MOST = 8;
    private static final AutoscalingSettings SETTINGS = new AutoscalingSettings(
            1,
            MOST,
            12,
            Duration.ofSeconds(30),
            Duration.ofSeconds(600),
            1,
            1,
            Duration.ofSeconds(30),
            Duration.ofSeconds(5),
            Duration.ofSeconds(300));
    /** Noticed, wanted for the delay, started; and the backlog of all that is computed. */
    private static final int SETTLED = 300;
    /** What waits in the first engine when the others come stays there. */
    private static final int WORKED_OFF = 420;

    private static PoolSimulation pool(int seed) {
        return new PoolSimulation(SETTINGS, seed);
    }

    /** Within the bounds, with few changes, none of which takes back the one before within its delay. */
    private static void assertCalm(PoolSimulation pool, int most) {
        assertThat(pool.sizes).allMatch(SETTINGS::allows);
        assertThat(pool.changes).as("changes").hasSizeLessThanOrEqualTo(most);
        for (int i = 1; i < pool.changes.size(); i++) {
            Changed before = pool.changes.get(i - 1);
            Changed after = pool.changes.get(i);
            long delay = (after.isUp() ? SETTINGS.upscaleDelay() : SETTINGS.downscaleDelay()).toSeconds();
            assertThat(after.begin() - before.end())
                    .as("from %s to %s", before, after)
                    .isGreaterThanOrEqualTo((int) delay);
        }
        assertThat(pool.remarks).isEmpty();
    }

    private static int longestQueue(PoolSimulation pool, int from, int to) {
        return pool.queues.subList(from, to).stream()
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void followsAStepUpAndDown(int seed) {
        PoolSimulation pool = pool(seed).run(600, t -> 0.5).run(3600, t -> 9).run(3600, t -> 0.5);
        assertCalm(pool, 5);
        assertThat(pool.changes.get(0)).matches(change -> change.isUp() && change.begin() <= 600 + 45);
        assertThat(pool.sizes.subList(600 + SETTLED, 4200)).allMatch(size -> size >= 6);
        assertThat(longestQueue(pool, 600 + WORKED_OFF, 4200)).isLessThan(24);
        assertThat(pool.size()).isEqualTo(1);
    }

    /** Each is longer than the delay, and there is one within each downscale delay: the engines stay. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void burstsThatComeAgainDoNotMakeItFlap(int seed) {
        PoolSimulation pool = pool(seed).run(7200, t -> t % 480 < 90 ? 8 : 0.3);
        assertCalm(pool, 4);
        assertThat(longestQueue(pool, 480 + SETTLED, 7200)).as("later bursts").isLessThan(60);
        pool.run(2000, t -> 0.3);
        assertThat(pool.size()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aBurstThatIsShorterThanTheDelayIsNothing(int seed) {
        PoolSimulation pool = pool(seed).run(7200, t -> t % 700 < 15 ? 2 : 0.2);
        assertCalm(pool, 0);
    }

    /** A day in six hours: up to eight engines' load and back. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void followsADay(int seed) {
        IntToDoubleFunction day = t -> 5.4 - 5.1 * Math.cos(2 * Math.PI * t / 21600);
        PoolSimulation pool = pool(seed).run(2 * 21600, day).run(1800, t -> 0.3);
        assertCalm(pool, 2 * 2 * (MOST - 1));
        assertThat(longestQueue(pool, 0, pool.queues.size())).isLessThan(60);
        assertThat(pool.sizes.subList(9000, 12000)).allMatch(size -> size >= 6);
        assertThat(pool.sizes.subList(20000, 22000)).allMatch(size -> size <= 3);
        assertThat(pool.size()).isEqualTo(1);
    }

    /** The mean is at the edge between two and three engines. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void noiseAtAnEdgeMakesNoFlapping(int seed) {
        PoolSimulation pool = pool(seed).run(6 * 3600, t -> 3);
        assertCalm(pool, 6);
        assertThat(longestQueue(pool, SETTLED, pool.queues.size())).isLessThan(40);
    }

    @ParameterizedTest
    @CsvSource({"1,120", "2,240", "3,600", "4,900"})
    void aSawtoothAcrossAnEdgeMakesNoFlapping(int seed, int period) {
        PoolSimulation pool = pool(seed).run(6 * 3600, t -> 2 + 2.0 * (t % period) / period);
        assertCalm(pool, 8);
        assertThat(longestQueue(pool, SETTLED, pool.queues.size())).isLessThan(40);
    }

    /** An hour of a service of conversations, and of one whose requests come in bursts. */
    @ParameterizedTest
    @CsvSource({"conversation,12,30", "code,10,400"})
    void followsRecordedLoads(String name, int changes, int queue) throws IOException {
        List<Double> counts = recorded(name);
        PoolSimulation pool = pool(1).run(counts.size() * 10, t -> counts.get(t / 10) / 10);
        assertCalm(pool, changes);
        assertThat(longestQueue(pool, SETTLED, pool.queues.size())).isLessThan(queue);
        pool.run(1800, t -> 0.1);
        assertThat(pool.size()).isEqualTo(1);
    }

    private static List<Double> recorded(String name) throws IOException {
        try (InputStream file =
                Objects.requireNonNull(AutoscalingSimulationTest.class.getResourceAsStream("recorded-load.txt"))) {
            String text = new String(file.readAllBytes(), StandardCharsets.UTF_8);
            String line = text.lines()
                    .filter(one -> one.startsWith(name + " "))
                    .findFirst()
                    .orElseThrow();
            return Arrays.stream(line.split(" ")).skip(1).map(Double::valueOf).toList();
        }
    }

    /** Half of the engines restart for longer than the delay, and the requests of their clients are not sent meanwhile. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void loadThatVanishesWithEnginesDoesNotShrinkThePool(int seed) {
        PoolSimulation pool = pool(seed).run(1800, t -> 6);
        int size = pool.size();
        assertThat(size).isGreaterThan(3);
        for (int i = 0; i < size / 2; i++) {
            pool.away(i, 1200);
        }
        pool.run(1200, t -> 6.0 * pool.serving() / size).run(1000, t -> 6);
        assertThat(pool.sizes.subList(1800, 4000)).allMatch(now -> now >= size);
        assertThat(pool.sizes).allMatch(SETTINGS::allows);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void enginesThatDoNotSayTheirLoadAreNotTakenForIdle(int seed) {
        PoolSimulation pool = pool(seed).run(1800, t -> 6);
        int size = pool.size();
        for (int i = 0; i < size; i++) {
            pool.silent(i, 1800);
        }
        pool.run(1800, t -> 6);
        assertThat(pool.sizes.subList(1800, 3600)).allMatch(now -> now >= size);
        assertThat(pool.remarks).singleElement().asString().contains("does not say how much it has to do");
        pool.run(1800, t -> 0.2);
        assertThat(pool.size()).isEqualTo(1);
    }
}
