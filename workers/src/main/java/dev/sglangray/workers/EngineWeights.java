/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.UpdateOutcome.Result;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.EventSink;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows which weights an engine has and sees to it that it has the fleet's before the router hears of it. A new process has
 * those of the model's path. What is not known for sure, because an update failed half-way, is settled by a new process.
 * Safe for use by many threads.
 */
final class EngineWeights {
    /** By these an engine says no before it touches anything; any other failure leaves doubt. */
    private static final List<String> UNTOUCHED = List.of(
            "Failed to get weights iterator",
            "Failed to get model loader",
            "Failed to receive weights",
            "must run between",
            "not supported");

    private static final Logger LOG = LoggerFactory.getLogger(EngineWeights.class);
    private static final Duration SESSION = Duration.ofSeconds(30);

    private final Weights initial;
    private final EngineControl control;
    private final RouterLink router;
    private final MemoryFile file;
    private final EventSink events;
    private final IntSupplier generation;
    private final Consumer<String> renew;
    private final ChangeLock loads = new ChangeLock();

    private volatile FleetWeights remembered = FleetWeights.INITIAL;
    private volatile Loaded loaded;
    private volatile @Nullable String problem;
    private volatile @Nullable String renewedFor;

    /** Null weights are not known. */
    private record Loaded(@Nullable Weights weights, int generation) {}

    /**
     * For an engine that has what it starts with.
     *
     * @param generation counts the engine's processes
     * @param renew has the process replaced, for a reason
     */
    EngineWeights(
            Weights initial,
            EngineControl control,
            RouterLink router,
            MemoryFile file,
            EventSink events,
            IntSupplier generation,
            Consumer<String> renew) {
        this.initial = initial;
        this.control = control;
        this.router = router;
        this.file = file;
        this.events = events;
        this.generation = generation;
        this.renew = renew;
        this.loaded = new Loaded(initial, generation.getAsInt());
    }

    /** Takes over what a predecessor remembered of the fleet. */
    void inherit() {
        file.load(FleetWeights.class).ifPresent(past -> remembered = past);
    }

    /** What the fleet is to have, as far as this worker was told; a router's word counts more. */
    void remember(FleetWeights fleet) {
        remembered = fleet;
        renewedFor = null;
        file.save(fleet);
    }

    FleetWeights remembered() {
        return remembered;
    }

    void forget() {
        file.delete();
    }

    /** What the engine has; empty when that is not known. */
    Optional<Weights> current() {
        Loaded now = loaded;
        return now.generation() == generation.getAsInt() ? Optional.ofNullable(now.weights()) : Optional.of(initial);
    }

    /** Why it does not have what the fleet has. */
    Optional<String> problem() {
        return Optional.ofNullable(problem);
    }

    /** Whether it has these, for sure. */
    boolean has(FleetWeights fleet) {
        return current()
                .filter(now -> now.version().equals(of(fleet).version()))
                .isPresent();
    }

    private Weights of(FleetWeights fleet) {
        return Objects.requireNonNullElse(fleet.updated(), initial);
    }

    /**
     * As {@link #bring}, for an engine that is started for the first time, perhaps before its router's worker is. That one
     * compares the weights anyway when the engine is registered, so that a launch does not depend on its answer.
     */
    void bringAtStart(Duration longest) {
        try {
            if (has(router.weights().orElse(remembered))) {
                return;
            }
        } catch (WorkerFailure e) {
            LOG.info("Not asked for the fleet's weights: {}", e.getMessage());
            return;
        }
        bring(longest);
    }

    /**
     * Returns when the engine has the fleet's weights.
     *
     * @throws WorkerFailure with why it cannot have them
     */
    void bring(Duration longest) {
        try {
            loads.alone("the engine's weights", longest, deadline -> {
                bring(deadline);
                return true;
            });
            problem = null;
        } catch (WorkerFailure e) {
            if (!String.valueOf(e.getMessage()).equals(problem)) {
                problem = e.getMessage();
                events.add(EventKind.WEIGHTS, String.valueOf(e.getMessage()));
            }
            throw e;
        }
    }

    private void bring(Deadline deadline) {
        FleetWeights fleet = router.weights().orElse(remembered);
        if (!fleet.equals(remembered)) {
            remember(fleet);
        }
        if (has(fleet)) {
            return;
        }
        Weights wanted = of(fleet);
        if (current().isEmpty() && !wanted.version().equals(renewedFor)) {
            renewedFor = wanted.version();
            String why = "it is not known which weights the engine has; a new one is started for " + wanted.text();
            renew.accept(why);
            throw new WorkerFailure(why);
        }
        if (wanted.path() == null) {
            throw new WorkerFailure("the fleet has weights of " + wanted.text()
                    + ", which cannot be had again: the engine stays out of the router until the next update");
        }
        UpdateOutcome outcome = loadNow(
                WeightUpdate.fromDisk(wanted.version(), wanted.path()).withLoadFormat(wanted.loadFormat()),
                true,
                deadline);
        if (!outcome.is(Result.UPDATED)) {
            throw new WorkerFailure("the engine could not be given the fleet's weights, " + wanted.text()
                    + ", and stays out of the router: " + outcome.detail());
        }
    }

    /** One update, wherever it comes from; the engine must have no requests, or be paused. */
    UpdateOutcome load(WeightUpdate update, boolean flush, Duration longest) {
        return loads.alone("the engine's weights", longest, deadline -> loadNow(update, flush, deadline));
    }

    private UpdateOutcome loadNow(WeightUpdate update, boolean flush, Deadline deadline) {
        int process = generation.getAsInt();
        UpdateOutcome outcome = ask(update, flush, deadline);
        if (outcome.is(Result.UPDATED)) {
            loaded = new Loaded(update.weights(), process);
            problem = null;
            events.add(
                    EventKind.WEIGHTS,
                    "the engine has weights of " + update.weights().text());
        } else {
            if (outcome.is(Result.UNCERTAIN)) {
                loaded = new Loaded(null, process);
            }
            events.add(EventKind.WEIGHTS, "no weights of " + update.weights().text() + ": " + outcome.detail());
        }
        return outcome;
    }

    private UpdateOutcome ask(WeightUpdate update, boolean flush, Deadline deadline) {
        String route = update.kind().route();
        try {
            if (update.kind() == WeightUpdate.Kind.DISK) {
                return judge(route, control.post(route, diskBody(update, flush), deadline.left()));
            }
            return askInSession(update, flush, deadline);
        } catch (IOException e) {
            return UpdateOutcome.of(
                    Result.UNCERTAIN, "the engine did not answer " + route + " within " + deadline.text() + ": " + e);
        } catch (WorkerFailure e) {
            // It has no URL: it ended, and nothing was asked.
            return UpdateOutcome.of(Result.ABSENT, String.valueOf(e.getMessage()));
        }
    }

    private static Map<String, Object> diskBody(WeightUpdate update, boolean flush) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("model_path", update.path());
        if (update.loadFormat() != null) {
            body.put("load_format", update.loadFormat());
        }
        body.put("weight_version", update.version());
        body.put("flush_cache", flush);
        return body;
    }

    /** SGLang since 0.5.10 or so wants the buckets of one update inside a session; before, it knows no such thing. */
    private UpdateOutcome askInSession(WeightUpdate update, boolean flush, Deadline deadline) throws IOException {
        boolean session =
                control.post("/begin_weight_update", Map.of(), deadline.left()).ok();
        UpdateOutcome outcome = UpdateOutcome.of(Result.UPDATED, "");
        boolean touched = false;
        try {
            for (int i = 0; i < update.buckets().size() && outcome.is(Result.UPDATED); i++) {
                boolean last = i == update.buckets().size() - 1;
                Map<String, Object> body = new LinkedHashMap<>(update.buckets().get(i));
                body.put("flush_cache", last && flush);
                if (last) {
                    body.put("weight_version", update.version());
                }
                String route = update.kind().route();
                outcome = judge(route, control.post(route, body, deadline.left()));
                if (outcome.is(Result.REFUSED) && touched) {
                    outcome = UpdateOutcome.of(Result.UNCERTAIN, "in bucket " + (i + 1) + ", " + outcome.detail());
                }
                touched = true;
            }
        } finally {
            if (session
                    && !control.post("/end_weight_update", Map.of(), SESSION).ok()) {
                outcome = UpdateOutcome.of(Result.UNCERTAIN, "the engine did not end the update");
            }
        }
        return outcome;
    }

    private static UpdateOutcome judge(String route, EngineControl.Answer answer) {
        String text = "the engine answered " + route + " with " + answer.text();
        if (answer.ok()) {
            boolean done = answer.body().isBlank()
                    || Json.tree(answer.body()).path("success").asBoolean(true);
            return done ? UpdateOutcome.of(Result.UPDATED, "") : UpdateOutcome.of(Result.UNCERTAIN, text);
        }
        return switch (answer.code()) {
            case 404, 405 -> UpdateOutcome.of(Result.REFUSED, "this engine has no " + route + " (" + text + ")");
            case 401, 403, 422 -> UpdateOutcome.of(Result.REFUSED, text);
            default ->
                UpdateOutcome.of(
                        UNTOUCHED.stream().anyMatch(answer.body()::contains) ? Result.REFUSED : Result.UNCERTAIN, text);
        };
    }
}
