/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.UpdateOutcome.Result;
import dev.sglangray.workers.supervision.Hold;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * One engine's part in an update of its fleet: it makes ready, loads, and settles, each when whoever updates says so. Between
 * the first and the last it gets no requests. Should nobody say more, that ends by itself, and the router's word decides
 * which weights it is to have. Safe for use by many threads.
 */
final class EngineUpdate {
    private static final Duration QUICK = Duration.ofSeconds(5);

    private final Keeper keeper;
    private final EngineControl control;
    private final ChangeLock changes;
    private final EngineMemory memory;
    private final EnginePause pause;
    private final EngineWeights weights;
    private final CheckpointCheck check;
    private volatile boolean pausedByUs;

    EngineUpdate(
            Keeper keeper,
            EngineControl control,
            ChangeLock changes,
            EngineMemory memory,
            EnginePause pause,
            EngineWeights weights,
            CheckpointCheck check) {
        this.keeper = keeper;
        this.control = control;
        this.changes = changes;
        this.memory = memory;
        this.pause = pause;
        this.weights = weights;
        this.check = check;
    }

    /** READY, ABSENT or REFUSED. Once ready or absent, no requests come until {@link #settle} or the end of the lease. */
    UpdateOutcome prepare(WeightUpdate update, Duration longest, Duration lease) {
        return changes.alone("prepareUpdate", longest, deadline -> {
            Optional<String> obstacle = obstacle(update);
            if (obstacle.isPresent()) {
                return UpdateOutcome.of(Result.REFUSED, obstacle.get());
            }
            String words = words(update);
            if (!keeper.isServing()) {
                keeper.holdFor(Hold.WEIGHTS, words, lease);
                return UpdateOutcome.of(Result.ABSENT, keeper.describe());
            }
            keeper.hold(Hold.WEIGHTS, words, lease, deadline.left());
            String busy = keeper.isServing() ? quieten(update.inFlight(), deadline) : "";
            if (!busy.isEmpty()) {
                // What is still paused then goes on before the router hears of it.
                var unused = unpause();
                keeper.liftQuietly(Hold.WEIGHTS);
                return UpdateOutcome.of(Result.REFUSED, busy);
            }
            return UpdateOutcome.of(Result.READY, "");
        });
    }

    private Optional<String> obstacle(WeightUpdate update) {
        String held = keeper.standing().holds().get(Hold.WEIGHTS);
        if (held != null && !held.equals(words(update))) {
            return Optional.of("another update is under way: " + held);
        }
        if (memory.current().tags().contains("weights")) {
            return Optional.of("the memory of the engine's weights is released; resume it first (resumeMemory)");
        }
        return update.path() == null ? Optional.empty() : check.refuse(update.path());
    }

    private static String words(WeightUpdate update) {
        return words(update.version());
    }

    private static String words(String version) {
        return "weights are replaced by version " + version;
    }

    /** Empty when there is nothing that an update would meet. */
    private String quieten(InFlight fate, Deadline deadline) {
        if (pause.mode().isPresent()) {
            // Whoever paused has decided what becomes of them.
            return "";
        }
        try {
            switch (fate) {
                case ABORT -> {
                    var unused = control.abort("");
                }
                case RETRACT, IN_PLACE -> {
                    pausedByUs = true;
                    pause.send(fate == InFlight.RETRACT ? PauseMode.RETRACT : PauseMode.IN_PLACE, deadline.left());
                    return "";
                }
                case DRAIN -> {}
            }
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
        int left = control.awaitIdle(deadline.left());
        return left <= 0 ? "" : "the engine still has " + left + " request(s) after " + deadline.text();
    }

    /** UPDATED, REFUSED, UNCERTAIN or ABSENT. The engine stays without requests. */
    UpdateOutcome apply(WeightUpdate update, Duration longest) {
        return changes.alone("applyUpdate", longest, deadline -> {
            if (!words(update).equals(keeper.standing().holds().get(Hold.WEIGHTS))) {
                return UpdateOutcome.of(
                        Result.ABSENT, "its worker was started anew, or waited too long for the update");
            }
            return weights.load(update, !keepsCache(update), deadline.left());
        });
    }

    /** A cache cannot be emptied while requests hold on to it. */
    private boolean keepsCache(WeightUpdate update) {
        return pause.mode().isPresent()
                ? pause.mode().get() == PauseMode.IN_PLACE
                : update.inFlight() == InFlight.IN_PLACE;
    }

    /**
     * An update is over, and the fleet has these weights. An engine that has them is back in the router when this returns;
     * any other is brought to them first, which is not waited for. An engine of somebody else's update is left alone.
     *
     * @param version what the update was to bring
     * @return what the engine does not have, in words
     */
    String settle(FleetWeights fleet, String version, Duration longest) {
        return changes.alone("settleUpdate", longest, deadline -> {
            String held = keeper.standing().holds().get(Hold.WEIGHTS);
            if (held != null && !held.equals(words(version))) {
                return "another update is under way: " + held;
            }
            weights.remember(fleet);
            boolean has = weights.has(fleet);
            if (!unpause()) {
                has = false;
                pausedByUs = false;
                keeper.restartSoon("its generation did not go on after an update");
            } else if (!has && keeper.isPublished()) {
                // It came back between the update's beginning and end: out it goes, to come back with the right ones.
                keeper.hold(Hold.WEIGHTS, words(version), QUICK, deadline.left());
            }
            if (!has) {
                keeper.liftQuietly(Hold.WEIGHTS);
                return "is being brought to "
                        + (fleet.updated() == null
                                ? "the first weights"
                                : fleet.updated().text());
            }
            if (!keeper.lift(Hold.WEIGHTS, deadline.left())) {
                throw new WorkerFailure("the engine has the weights, but was not back in the router within "
                        + deadline.text() + "; its worker goes on trying");
            }
            return "";
        });
    }

    /** Nobody may have ended an update for which generation was paused; the router must not send to a paused engine. */
    void beforePublishing() {
        if (!unpause()) {
            throw new WorkerFailure("generation was paused for an update and does not go on");
        }
    }

    private boolean unpause() {
        if (pausedByUs && pause.mode().isEmpty() && keeper.isServing()) {
            try {
                pause.goOn(QUICK);
            } catch (WorkerFailure e) {
                return false;
            }
        }
        pausedByUs = false;
        return true;
    }
}
