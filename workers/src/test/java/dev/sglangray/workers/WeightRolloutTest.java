/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What is done in which order, and how it ends, for a fleet of two that does as it is told. */
class WeightRolloutTest {
    private static final WeightUpdate UPDATE = WeightUpdate.fromDisk("7", "/weights/7");

    private final List<String> deeds = new ArrayList<>();
    private final Map<Integer, UpdateOutcome> votes = new LinkedHashMap<>();
    private final Map<Integer, UpdateOutcome> loads = new LinkedHashMap<>();
    private int failingCommits;

    private final class FakeFleet implements FleetHands {
        @Override
        public List<Integer> ranks() {
            return List.of(0, 1);
        }

        @Override
        public FleetWeights weights(Duration longest) {
            return new FleetWeights(new Weights("6", "/weights/6", null));
        }

        @Override
        public Map<Integer, UpdateOutcome> prepare(List<Integer> ranks, Duration longest, Duration lease) {
            assertThat(lease).isGreaterThan(UPDATE.timeout());
            deeds.add("prepare " + ranks);
            return answers(ranks, votes, Result.READY);
        }

        @Override
        public Map<Integer, UpdateOutcome> apply(List<Integer> ranks, Duration longest) {
            deeds.add("apply " + ranks);
            return answers(ranks, loads, Result.UPDATED);
        }

        private Map<Integer, UpdateOutcome> answers(
                List<Integer> ranks, Map<Integer, UpdateOutcome> told, Result otherwise) {
            Map<Integer, UpdateOutcome> answers = new LinkedHashMap<>();
            ranks.forEach(rank -> answers.put(rank, told.getOrDefault(rank, UpdateOutcome.of(otherwise, ""))));
            return answers;
        }

        @Override
        public void commit(FleetWeights weights, boolean mixing, Duration longest) {
            if (failingCommits-- > 0) {
                throw new WorkerException("routers", 0, "", "commitWeights", "its process is gone", null);
            }
            deeds.add("commit " + version(weights) + (mixing ? " mixing" : ""));
        }

        @Override
        public Map<Integer, String> settle(List<Integer> ranks, FleetWeights weights, Duration longest) {
            deeds.add("settle " + ranks + " " + version(weights));
            Map<Integer, String> words = new LinkedHashMap<>();
            ranks.forEach(rank -> words.put(rank, ""));
            return words;
        }

        @Override
        public void settleSoon(List<Integer> ranks, FleetWeights weights) {
            deeds.add("settle soon " + ranks + " " + version(weights));
        }

        private String version(FleetWeights weights) {
            return Objects.requireNonNull(weights.updated()).version();
        }
    }

    private UpdateReport run(WeightUpdate update) {
        return new WeightRollout("engines", update, new FakeFleet()).run();
    }

    @Test
    void allAreReadyLoadAndComeBackTogether() {
        UpdateReport report = run(UPDATE);
        assertThat(deeds).containsExactly("prepare [0, 1]", "apply [0, 1]", "commit 7", "settle [0, 1] 7");
        assertThat(report.isComplete()).isTrue();
        assertThat(report.version()).isEqualTo("7");
    }

    @Test
    void nothingIsTouchedWhenOneRefuses() {
        votes.put(1, UpdateOutcome.of(Result.REFUSED, "there is no folder /weights/7 on node b"));
        assertThatThrownBy(() -> run(UPDATE))
                .isInstanceOf(WeightUpdateException.class)
                .hasMessageContaining("it was refused; the fleet has the weights that it had")
                .hasMessageContaining("rank 1: REFUSED, there is no folder /weights/7 on node b");
        assertThat(deeds).containsExactly("prepare [0, 1]", "settle [0, 1] 6");
    }

    @Test
    void theFleetStaysAsItWasWhenNobodyCanLoad() {
        loads.put(0, UpdateOutcome.of(Result.UNCERTAIN, "HTTP 400: shapes"));
        loads.put(1, UpdateOutcome.of(Result.REFUSED, "HTTP 404"));
        assertThatThrownBy(() -> run(UPDATE))
                .hasMessageContaining("rank 0: UNCERTAIN, HTTP 400: shapes")
                .hasMessageContaining("rank 1: REFUSED, HTTP 404");
        assertThat(deeds).containsExactly("prepare [0, 1]", "apply [0, 1]", "settle [0, 1] 6");
    }

    @Test
    void theFleetGoesOnWithThoseThatLoaded() {
        loads.put(1, UpdateOutcome.of(Result.UNCERTAIN, "connection reset"));
        UpdateReport report = run(UPDATE);
        assertThat(report.missing()).containsExactly(1);
        assertThat(deeds).endsWith("commit 7", "settle [0, 1] 7");
    }

    @Test
    void anEngineThatIsAwayIsToldInTheEnd() {
        votes.put(0, UpdateOutcome.of(Result.ABSENT, "the engine does not serve at the moment"));
        assertThat(run(UPDATE).missing()).containsExactly(0);
        assertThat(deeds).containsExactly("prepare [0, 1]", "apply [1]", "commit 7", "settle [0, 1] 7");
    }

    @Test
    void aRouterWorkerThatIsBeingReplacedIsWaitedFor() {
        failingCommits = 2;
        assertThat(run(UPDATE).isComplete()).isTrue();
    }

    @Test
    void rollingTakesOneAfterTheOtherAndMixesMeanwhile() {
        UpdateReport report = run(UPDATE.withRolling(true));
        assertThat(report.isComplete()).isTrue();
        assertThat(deeds)
                .containsExactly(
                        "prepare [0]",
                        "apply [0]",
                        "commit 7 mixing",
                        "settle [0] 7",
                        "prepare [1]",
                        "apply [1]",
                        "settle [1] 7",
                        "commit 7");
    }

    @Test
    void rollingEndsWithTheFirstFailureButNotWithALaterOne() {
        loads.put(0, UpdateOutcome.of(Result.UNCERTAIN, "shapes"));
        assertThatThrownBy(() -> run(UPDATE.withRolling(true))).hasMessageContaining("the first engine");
        assertThat(deeds).containsExactly("prepare [0]", "apply [0]", "settle [0, 1] 6");
        loads.clear();
        loads.put(1, UpdateOutcome.of(Result.UNCERTAIN, "killed"));
        assertThat(run(UPDATE.withRolling(true)).missing()).containsExactly(1);
    }
}
