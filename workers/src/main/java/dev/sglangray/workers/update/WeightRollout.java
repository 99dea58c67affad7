/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.update;

import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * One update of a fleet's weights. The registry's word decides: before the commit the fleet has the old weights, after it the new
 * ones, whatever dies in between, this program included. No other change of the fleet happens meanwhile. For one use, on one event
 * loop.
 */
public final class WeightRollout {
    /** Engines whose update is not ended help themselves after the time that it had and this. */
    private static final Duration BEYOND = Duration.ofSeconds(30);

    private static final Duration RETURN = Duration.ofMinutes(2);
    private static final Duration AGAIN = Duration.ofMillis(100);

    private final EventLoop loop;
    private final WeightUpdate update;
    private final FleetPort fleet;
    private final Deadline deadline;
    private final Duration lease;
    private final String token;
    private final UpdateNotice notice;
    private final Map<Integer, UpdateOutcome> outcomes = new LinkedHashMap<>();
    private final Instant begin;
    private List<Integer> ranks = List.of();
    private FleetWeights now = FleetWeights.INITIAL;
    private boolean committed;
    private boolean abandoned;

    /** What came of an update. */
    public record Done(
            Map<Integer, UpdateOutcome> engines, double secondsToQuiet, double secondsToLoad, double secondsToReturn) {}

    /** An update that did not happen as it should; the message says what the fleet has. */
    public static final class Failed extends RuntimeException {
        private final transient Map<Integer, UpdateOutcome> engines;

        Failed(String message, Map<Integer, UpdateOutcome> engines) {
            super(message);
            this.engines = new LinkedHashMap<>(engines);
        }

        /** What came of it at each rank. */
        public Map<Integer, UpdateOutcome> engines() {
            return engines;
        }
    }

    /** Begins nothing before {@link #run()}. */
    public WeightRollout(EventLoop loop, WeightUpdate update, FleetPort fleet) {
        this.loop = loop;
        this.update = update;
        this.fleet = fleet;
        this.deadline = Deadline.in(loop, update.timeout());
        this.lease = update.timeout().plus(BEYOND);
        this.token = FleetWeights.newId();
        this.notice = new UpdateNotice(FleetWeights.newId(), update.version(), update.path(), update.inFlight());
        this.begin = loop.now();
    }

    /** Updates the fleet; fails with {@link Failed} when it does not have the new weights everywhere that it serves. */
    public CompletableFuture<Done> run() {
        return fleet.beginChange("an update of the weights to version " + update.version(), token, lease)
                .thenCompose(refusal -> {
                    if (!refusal.isEmpty()) {
                        throw failed(refusal + "; nothing was changed");
                    }
                    CompletableFuture<Done> done = fleet.weights()
                            .thenCompose(before -> {
                                now = before;
                                return fleet.ranks();
                            })
                            .thenCompose(all -> {
                                ranks = all;
                                return update.rolling() ? oneByOne(0) : together();
                            });
                    // Waited for: the caller's next change must not meet this one.
                    CompletableFuture<Void> over = done.handle((value, failure) -> (Void) null);
                    return over.thenCompose(nothing -> fleet.endChange(token)).thenCompose(ended -> done);
                });
    }

    /** The caller does not wait any more: engines settle with what the fleet has. */
    public void abandon() {
        abandoned = true;
        CompletableFuture<?> unused = fleet.settle(ranks, now, notice.id(), RETURN);
        CompletableFuture<?> unusedEnd = fleet.endChange(token);
    }

    private CompletableFuture<Done> together() {
        // What engines work on may take half of the time; the rest is for loading.
        return fleet.prepare(ranks, notice, deadline.left().dividedBy(2), lease).thenCompose(prepared -> {
            outcomes.putAll(prepared);
            Instant quiet = loop.now();
            List<Integer> ready = with(Result.READY);
            if (!with(Result.REFUSED).isEmpty() || ready.isEmpty()) {
                return takenBack(with(Result.REFUSED).isEmpty() ? noneReady() : "it was refused");
            }
            return fleet.apply(ready, notice.id(), update, deadline.left()).thenCompose(applied -> {
                outcomes.putAll(applied);
                Instant loaded = loop.now();
                if (with(Result.UPDATED).isEmpty()) {
                    return takenBack("no engine could load the weights");
                }
                return commit(now.next(notice.id(), update.weights(), false))
                        .thenCompose(done -> settle(ranks))
                        .thenApply(done -> report(quiet, loaded));
            });
        });
    }

    private CompletableFuture<Done> oneByOne(int index) {
        if (index == ranks.size()) {
            if (!committed) {
                return takenBack(noneReady());
            }
            Instant loaded = loop.now();
            List<Integer> others = ranks.stream()
                    .filter(rank -> !outcome(rank).is(Result.UPDATED))
                    .toList();
            return commit(now.alone()).thenCompose(done -> settle(others)).thenApply(done -> report(begin, loaded));
        }
        int rank = ranks.get(index);
        List<Integer> one = List.of(rank);
        Duration share = deadline.left().dividedBy(ranks.size() - index);
        return fleet.prepare(one, notice, share.dividedBy(2), lease)
                .thenCompose(prepared -> {
                    outcomes.putAll(prepared);
                    return outcome(rank).is(Result.READY)
                            ? fleet.apply(one, notice.id(), update, share.dividedBy(2))
                            : CompletableFuture.completedFuture(Map.of());
                })
                .thenCompose(applied -> {
                    outcomes.putAll(applied);
                    boolean failed =
                            outcome(rank).is(Result.REFUSED) || outcome(rank).is(Result.UNCERTAIN);
                    if (failed && !committed) {
                        return takenBack("the first engine did not take it");
                    }
                    CompletableFuture<Void> known = !committed && outcome(rank).is(Result.UPDATED)
                            ? commit(now.next(notice.id(), update.weights(), true))
                            : CompletableFuture.completedFuture(null);
                    return known.thenCompose(
                                    nothing -> committed ? settle(one) : CompletableFuture.<Void>completedFuture(null))
                            .thenCompose(nothing -> oneByOne(index + 1));
                });
    }

    private String noneReady() {
        return !ranks.isEmpty() && with(Result.FROZEN).size() == ranks.size()
                ? "no pool has update_weights: true"
                : "no engine serves";
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

    private <T> CompletableFuture<T> takenBack(String why) {
        return settle(ranks).thenApply(nothing -> {
            throw failed(why + "; the fleet keeps " + now.text());
        });
    }

    private Failed failed(String why) {
        return new Failed(update.weights().text() + ": " + why, outcomes);
    }

    /** Until the registry has taken it and the router sends to no server with other weights, or something else is known. */
    private CompletableFuture<Void> commit(FleetWeights wanted) {
        return commit(wanted, Deadline.in(loop, RETURN), "its worker did not answer");
    }

    private CompletableFuture<Void> commit(FleetWeights wanted, Deadline patience, String last) {
        if (patience.isOver() || abandoned) {
            throw failed((committed ? "the fleet has the new weights, but " : "") + last
                    + ". Engines that do not have the fleet's weights get no requests from "
                    + lease.toSeconds()
                    + " s after the beginning of the update on, and then have what the registry says");
        }
        return fleet.commit(wanted, token)
                .handle((reply, failure) -> {
                    if (failure != null) {
                        return "the router's worker did not say whether it took them: " + EventLoop.words(failure);
                    }
                    if (!reply.taken()) {
                        now = reply.weights();
                        committed = false;
                        return null;
                    }
                    now = reply.weights();
                    committed = true;
                    return reply.settled() ? "" : "the router still lists a server with other weights";
                })
                .thenCompose(words -> {
                    if (words == null) {
                        return takenBack("the fleet was given other weights meanwhile");
                    }
                    return words.isEmpty()
                            ? CompletableFuture.completedFuture(null)
                            : loop.after(AGAIN).thenCompose(nothing -> commit(wanted, patience, words));
                });
    }

    private CompletableFuture<Void> settle(List<Integer> some) {
        if (some.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        return fleet.settle(some, now, notice.id(), RETURN)
                .thenAccept(left -> left.forEach((rank, words) -> outcomes.computeIfPresent(
                        rank,
                        (key, outcome) -> words.isEmpty()
                                ? outcome
                                : UpdateOutcome.of(outcome.result(), join(outcome.detail(), words)))));
    }

    private static String join(String first, String second) {
        return first.isEmpty() ? second : first + "; " + second;
    }

    private Done report(Instant quiet, Instant loaded) {
        Map<Integer, UpdateOutcome> byRank = new LinkedHashMap<>();
        ranks.forEach(rank -> byRank.put(rank, outcome(rank)));
        return new Done(byRank, seconds(begin, quiet), seconds(quiet, loaded), seconds(loaded, loop.now()));
    }

    private static double seconds(Instant from, Instant to) {
        return Duration.between(from, to).toNanos() / 1e9;
    }
}
