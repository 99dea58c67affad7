/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.monitor.PoolDemand.Result;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The decision, look by look: target 10, up after 30 s, down after 60 s, 1 to 8 engines, a look each 5 s over 10 s. */
class PoolScalerTest {
    private static final int LOOK = 5;

    private Instant now = Instant.parse("2026-11-30T10:00:00Z");
    private final List<String> remarks = new ArrayList<>();
    private final PoolScaler scaler = new PoolScaler("a", settings(1, 1), remarks::add);

    static AutoscalingSettings settings(double up, double down) {
        return new AutoscalingSettings(
                1,
                8,
                10,
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                up,
                down,
                Duration.ofSeconds(10),
                Duration.ofSeconds(LOOK),
                Duration.ofSeconds(300));
    }

    private static PoolSample sample(int wanted, Map<Hold, String> holds, @Nullable Integer... loads) {
        return new PoolSample(
                wanted,
                IntStream.range(0, loads.length)
                        .mapToObj(rank -> new PoolSample.Load(rank, loads[rank]))
                        .toList(),
                holds);
    }

    private static Map<Hold, String> because(Hold hold) {
        return new EnumMap<>(Map.of(hold, "because"));
    }

    /** Looks for so long; the first change that is due. */
    private Optional<PoolChange> looks(int seconds, PoolSample sample) {
        for (int i = 0; i < seconds; i += LOOK) {
            now = now.plusSeconds(LOOK);
            Optional<PoolChange> due = scaler.take(sample, now);
            if (due.isPresent()) {
                return due;
            }
        }
        return Optional.empty();
    }

    private PoolChange due(int seconds, PoolSample sample) {
        return looks(seconds, sample).orElseThrow(() -> new AssertionError("nothing is due; " + scaler.demand()));
    }

    /** Nothing for the given time, something at the look after it. */
    private PoolChange dueAfter(int seconds, PoolSample sample) {
        assertThat(looks(seconds, sample)).isEmpty();
        return due(LOOK, sample);
    }

    @Test
    void growsAfterTheDelayAndSaysWhy() {
        PoolChange change = dueAfter(30, sample(2, Map.of(), 23, 12));
        assertThat(change).isEqualTo(new PoolChange("a", 2, 4, "35 ongoing requests, target 10 an engine, for 30 s"));
        assertThat(change.text())
                .isEqualTo(
                        "autoscaling: pool 'a' grows from 2 to 4 engine(s): 35 ongoing requests, target 10 an engine, for 30 s");
        assertThat(scaler.carried(change, 4, now)).isEqualTo(Result.DONE);
        assertThat(looks(600, sample(4, Map.of(), 9, 9, 9, 9))).isEmpty();
        assertThat(remarks).isEmpty();
    }

    @Test
    void shrinksBySeveralAtOnceAfterItsDelay() {
        assertThat(dueAfter(60, sample(6, Map.of(), 3, 3, 3, 3, 1, 0)))
                .isEqualTo(new PoolChange(
                        "a",
                        6,
                        2,
                        "13 ongoing requests, target 10 an engine, no more than 2 engine(s) were wanted for 60 s"));
    }

    /** What comes in bursts needs as many again. */
    @Test
    void shrinksToTheMostThatWereWantedMeanwhile() {
        assertThat(looks(30, sample(6, Map.of(), 3, 3, 3, 3, 1, 0))).isEmpty();
        assertThat(looks(15, sample(6, Map.of(), 9, 9, 9, 9, 1, 0))).isEmpty();
        assertThat(due(30, sample(6, Map.of(), 0, 0, 0, 0, 0, 0)).to()).isEqualTo(4);
    }

    /** The mean falls slowly after a load that ends at once. */
    @Test
    void theMeanOfALoadThatEndedIsNotWhatIsWanted() {
        assertThat(looks(100, sample(4, Map.of(), 10, 10, 10, 10))).isEmpty();
        assertThat(dueAfter(60, sample(4, Map.of(), 0, 0, 0, 0)).to()).isEqualTo(1);
    }

    @Test
    void aDipWithinTheDelayBeginsItAgain() {
        assertThat(looks(25, sample(1, Map.of(), 30))).isEmpty();
        assertThat(looks(15, sample(1, Map.of(), 0))).isEmpty();
        assertThat(looks(30, sample(1, Map.of(), 30))).isEmpty();
        assertThat(due(10, sample(1, Map.of(), 30)).to()).isEqualTo(3);
    }

    @Test
    void staysWithinItsBounds() {
        assertThat(due(100, sample(2, Map.of(), 5000, 5000)).to()).isEqualTo(8);
        scaler.refused();
        assertThat(due(100, sample(2, Map.of(), 0, 0)).to()).isEqualTo(1);
        assertThat(scaler.demand().desired()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            # ongoing, engines, factor, desired: as Ray Serve's policy
             40, 2, 1.0, 4
             41, 2, 1.0, 5
             20, 2, 1.0, 2
             19, 2, 1.0, 2
              9, 2, 1.0, 1
             60, 2, 0.5, 4
              0, 4, 0.5, 2
             29, 4, 0.1, 3
              0, 1, 1.0, 1
            999, 1, 1.0, 8
            """)
    void computesAsRayServe(double ongoing, int engines, double factor, int desired) {
        assertThat(settings(factor, factor).desired(ongoing, engines)).isEqualTo(desired);
    }

    /** Not known is not low. */
    @Test
    void anEngineThatDoesNotSayItsLoadKeepsThePoolFromShrinking() {
        assertThat(looks(30, sample(2, Map.of(), 9, 9))).isEmpty();
        assertThat(looks(15, sample(2, Map.of(), 9, null)))
                .as("its last load stands")
                .isEmpty();
        assertThat(scaler.demand().held()).isEmpty();
        assertThat(scaler.demand().ongoing()).isEqualTo(18);
        assertThat(looks(1000, sample(2, Map.of(), 9, null))).isEmpty();
        assertThat(scaler.demand().held()).containsExactly("unknown_load");
        assertThat(remarks)
                .containsExactly(
                        "autoscaling: pool 'a' does not shrink from 2 to 1 engine(s): engine 1 does not say how much it has"
                                + " to do (9.0 ongoing requests, target 10 an engine, no more than 1 engine(s) were wanted for 60 s)");
        assertThat(dueAfter(60, sample(2, Map.of(), 9, 0)).to())
                .as("and the delay begins when it says it")
                .isEqualTo(1);
    }

    @Test
    void whatIsKnownIsEnoughToGrow() {
        assertThat(due(40, sample(2, Map.of(), 25, null)).to()).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(names = {"CHANGE", "ROUTER", "PAUSED", "FAILED", "MISSING"})
    void waitsInBothDirectionsAndBeginsAgainThen(Hold hold) {
        assertThat(looks(1000, sample(2, because(hold), 50, 50))).isEmpty();
        assertThat(scaler.demand().held()).containsExactly(hold.label());
        assertThat(dueAfter(30, sample(2, Map.of(), 50, 50)).to()).isEqualTo(8);
        assertThat(looks(1000, sample(2, because(hold), 0, 0))).isEmpty();
        assertThat(dueAfter(60, sample(2, Map.of(), 0, 0)).to()).isEqualTo(1);
    }

    @Test
    void saysOnceWhatAFailedEngineKeepsItFrom() {
        assertThat(looks(1000, sample(2, because(Hold.FAILED), 50, 50))).isEmpty();
        assertThat(looks(1000, sample(2, because(Hold.CHANGE), 50, 50))).isEmpty();
        assertThat(remarks)
                .hasSize(1)
                .allMatch(text -> text.contains("does not grow from 2 to 8 engine(s): because ("));
    }

    /** The load of an engine that restarts is gone, and comes back with it. */
    @Test
    void loadThatVanishesWithAnEngineDoesNotShrinkThePool() {
        assertThat(looks(60, sample(3, Map.of(), 9, 9, 9))).isEmpty();
        assertThat(looks(1000, sample(3, because(Hold.NOT_SERVING), 5, 5, null)))
                .isEmpty();
        assertThat(looks(55, sample(3, Map.of(), 5, 5, 0))).isEmpty();
        assertThat(looks(1000, sample(3, Map.of(), 9, 9, 9))).isEmpty();
        assertThat(due(40, sample(3, because(Hold.NOT_SERVING), 20, 20, null)).to())
                .as("more are wanted by the others alone")
                .isEqualTo(4);
    }

    @Test
    void aHandWithinTheBoundsBeginsTheDelaysAgain() {
        assertThat(looks(30, sample(2, Map.of(), 20, 20))).isEmpty();
        assertThat(dueAfter(30, sample(3, Map.of(), 20, 10, 10)).to()).isEqualTo(4);
        assertThat(remarks).containsExactly("autoscaling: pool 'a' was given 3 engine(s); its delays begin again");
    }

    @Test
    void aHandOutsideTheBoundsSuspendsUntilAHandIsBackInside() {
        assertThat(looks(10, sample(2, Map.of(), 0, 0))).isEmpty();
        PoolSample nine = sample(9, Map.of(), 0, 0, 0, 0, 0, 0, 0, 0, 0);
        assertThat(looks(5000, nine)).isEmpty();
        assertThat(scaler.demand().held()).containsExactly("bounds");
        assertThat(dueAfter(60, sample(7, Map.of(), 0, 0, 0, 0, 0, 0, 0)).to()).isEqualTo(1);
        assertThat(remarks)
                .containsExactly(
                        "autoscaling of pool 'a' is suspended: it has 9 engine(s), and its bounds are 1 and 8; it is resumed by"
                                + " a scale to a number within them",
                        "autoscaling of pool 'a' is resumed: it has 7 engine(s)");
    }

    @Test
    void whatFailedIsRepeatedAfterAPauseThatDoubles() {
        PoolSample busy = sample(2, Map.of(), 50, 50);
        List<Integer> pauses = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            PoolChange change = due(3600, busy);
            assertThat(scaler.failed(change, "no room", now)).isEqualTo(Result.FAILED);
            Instant failed = now;
            due(3600, busy);
            pauses.add((int) Duration.between(failed, now).toSeconds());
        }
        assertThat(pauses).containsExactly(30, 60, 120, 240, 480, 960, 960, 960);
        assertThat(remarks)
                .first()
                .isEqualTo(
                        "autoscaling: pool 'a' stays at 2 engine(s): no room; the next attempt is in 30 s at the earliest");
        assertThat(scaler.demand().held()).isEmpty();
        scaler.carried(due(5, busy), 8, now);
        assertThat(looks(100, sample(8, Map.of(), 50, 50, 0, 0, 0, 0, 0, 0))).isEmpty();
        scaler.failed(due(5000, sample(8, Map.of(), 0, 0, 0, 0, 0, 0, 0, 0)), "x", now);
        assertThat(remarks).last().asString().contains("in 30 s");
    }

    @Test
    void aChangeThatFoundSomeRoomIsNoHand() {
        PoolChange change = due(40, sample(2, Map.of(), 50, 50));
        assertThat(scaler.carried(change, 5, now)).isEqualTo(Result.PARTLY);
        assertThat(remarks).singleElement().asString().contains("has 5 of 8 engine(s)", "no room");
        assertThat(dueAfter(30, sample(5, Map.of(), 50, 50, 0, 0, 0)).to()).isEqualTo(8);
        assertThat(remarks).hasSize(1);
    }

    @Test
    void aRefusalMakesNoNoise() {
        PoolSample busy = sample(2, Map.of(), 50, 50);
        due(40, busy);
        assertThat(scaler.refused()).isEqualTo(Result.REFUSED);
        dueAfter(30, busy);
        assertThat(remarks).isEmpty();
    }
}
