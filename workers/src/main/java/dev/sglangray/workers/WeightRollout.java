/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.UpdateOutcome.Result;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One update of a fleet's weights, from the engines' readiness to their return. What the router's worker is told in
 * {@link FleetHands#commit} decides: before it the fleet has the old weights, after it the new ones, whoever dies in between,
 * this program included. For one use by one thread.
 */
final class WeightRollout {
    /** Engines whose update nobody ends help themselves after the time that it had and this. */
    private static final Duration BEYOND = Duration.ofSeconds(30);

    private static final Duration RETURN = Duration.ofMinutes(2);
    private static final Duration ASK = Duration.ofSeconds(20);

    private final String group;
    private final WeightUpdate update;
    private final FleetHands fleet;
    private final Deadline deadline;
    private final Duration lease;
    private final FleetWeights wanted;
    private final Map<Integer, UpdateOutcome> outcomes = new LinkedHashMap<>();
    private final long begin = System.nanoTime();
    private FleetWeights before = FleetWeights.INITIAL;

    WeightRollout(String group, WeightUpdate update, FleetHands fleet) {
        this.group = group;
        this.update = update;
        this.fleet = fleet;
        this.deadline = Deadline.in(update.timeout());
        this.lease = update.timeout().plus(BEYOND);
        this.wanted = new FleetWeights(update.weights());
    }

    /**
     * Updates the fleet.
     *
     * @throws WeightUpdateException when the fleet keeps its weights
     * @throws WorkerInterruptedException when this thread is interrupted; the engines settle by themselves
     */
    UpdateReport run() {
        before = fleet.weights(ASK);
        try {
            return update.rolling() ? oneByOne() : together();
        } catch (WorkerInterruptedException e) {
            fleet.settleSoon(fleet.ranks(), before);
            throw e;
        }
    }

    private UpdateReport together() {
        List<Integer> all = fleet.ranks();
        // What engines work on may take half of the time; the rest is for loading.
        outcomes.putAll(fleet.prepare(all, deadline.left().dividedBy(2), lease));
        long quiet = System.nanoTime();
        List<Integer> ready = with(Result.READY);
        if (!with(Result.REFUSED).isEmpty() || ready.isEmpty()) {
            throw takenBack(ready.isEmpty() && with(Result.REFUSED).isEmpty() ? "no engine serves" : "it was refused");
        }
        outcomes.putAll(fleet.apply(ready, deadline.left()));
        long loaded = System.nanoTime();
        if (with(Result.UPDATED).isEmpty()) {
            throw takenBack("no engine could load the weights");
        }
        commit(false);
        settle(all);
        return report(quiet, loaded);
    }

    private UpdateReport oneByOne() {
        boolean committed = false;
        List<Integer> all = fleet.ranks();
        for (int i = 0; i < all.size(); i++) {
            int rank = all.get(i);
            List<Integer> one = List.of(rank);
            Duration share = deadline.left().dividedBy(all.size() - i);
            outcomes.putAll(fleet.prepare(one, share.dividedBy(2), lease));
            if (outcome(rank).is(Result.READY)) {
                outcomes.putAll(fleet.apply(one, share.dividedBy(2)));
            }
            boolean failed = outcome(rank).is(Result.REFUSED) || outcome(rank).is(Result.UNCERTAIN);
            if (failed && !committed) {
                throw takenBack("the first engine did not take it");
            }
            if (!committed && outcome(rank).is(Result.UPDATED)) {
                commit(true);
                committed = true;
            }
            if (committed) {
                settle(one);
            }
        }
        if (!committed) {
            throw takenBack("no engine serves");
        }
        long loaded = System.nanoTime();
        commit(false);
        settle(fleet.ranks().stream()
                .filter(rank -> !outcome(rank).is(Result.UPDATED))
                .toList());
        return report(begin, loaded);
    }

    private UpdateOutcome outcome(int rank) {
        return outcomes.getOrDefault(rank, UpdateOutcome.of(Result.ABSENT, "it was not asked"));
    }

    private List<Integer> with(Result result) {
        return outcomes.entrySet().stream()
                .filter(entry -> entry.getValue().is(result))
                .map(Map.Entry::getKey)
                .toList();
    }

    private WeightUpdateException takenBack(String why) {
        Map<Integer, String> left = fleet.settle(fleet.ranks(), before, RETURN);
        left.forEach((rank, words) -> {
            if (!words.isEmpty()) {
                outcomes.computeIfPresent(
                        rank, (key, outcome) -> UpdateOutcome.of(outcome.result(), join(outcome.detail(), words)));
            }
        });
        return failure(why + "; the fleet has the weights that it had", null);
    }

    private WeightUpdateException failure(String why, @Nullable Throwable cause) {
        return new WeightUpdateException(group, update.weights().text() + ": " + why, outcomes, cause);
    }

    /** Until it is known that the router's worker has taken it, or what it has instead. */
    private void commit(boolean mixing) {
        Deadline patience = Deadline.in(RETURN);
        while (true) {
            try {
                fleet.commit(wanted, mixing, ASK);
                return;
            } catch (WorkerInterruptedException e) {
                throw e;
            } catch (WorkerException e) {
                if (patience.isOver()) {
                    throw failure(
                            "the router's worker did not say whether it took them. The engines stay out of the router"
                                    + " until " + lease.toSeconds() + " s after the beginning of the update, and then"
                                    + " do as it says",
                            e);
                }
                // It may be about to be replaced by Ray.
                StandingMonitor.pause(Duration.ofMillis(200));
            }
        }
    }

    private void settle(List<Integer> ranks) {
        if (ranks.isEmpty()) {
            return;
        }
        fleet.settle(ranks, wanted, RETURN)
                .forEach((rank, words) -> outcomes.computeIfPresent(
                        rank,
                        (key, outcome) -> words.isEmpty()
                                ? outcome
                                : UpdateOutcome.of(outcome.result(), join(outcome.detail(), words))));
    }

    private static String join(String first, String second) {
        return first.isEmpty() ? second : first + "; " + second;
    }

    private UpdateReport report(long quiet, long loaded) {
        Map<Integer, UpdateOutcome> byRank = new LinkedHashMap<>();
        fleet.ranks().forEach(rank -> byRank.put(rank, outcome(rank)));
        return new UpdateReport(
                update.version(),
                byRank,
                (quiet - begin) / 1e9,
                (loaded - quiet) / 1e9,
                (System.nanoTime() - loaded) / 1e9);
    }
}
