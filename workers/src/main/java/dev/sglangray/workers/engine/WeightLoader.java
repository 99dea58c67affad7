/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Puts weights into an engine by SGLang's routes, and judges from its answers what it has afterwards. The engine must have no
 * requests, or be paused. Stateless.
 */
final class WeightLoader {
    /** With these words an engine refuses before it touches anything; any other failure leaves doubt. */
    private static final List<String> UNTOUCHED = List.of(
            "Failed to get weights iterator",
            "Failed to get model loader",
            "Failed to receive weights",
            "must run between",
            "not supported");

    private static final Duration SESSION = Duration.ofSeconds(30);

    private final EnginePort engine;

    WeightLoader(EnginePort engine) {
        this.engine = engine;
    }

    /**
     * What came of a load.
     *
     * @param outcome UPDATED, REFUSED or UNCERTAIN
     * @param stray whether an answer is missing, so that the load may still be under way in the engine
     */
    record Load(UpdateOutcome outcome, boolean stray) {}

    /** The future does not fail. */
    CompletableFuture<Load> load(WeightUpdate update, boolean flush, Deadline deadline) {
        String route = update.kind().route();
        CompletableFuture<Load> outcome = update.kind() == WeightUpdate.Kind.DISK
                ? engine.post(route, diskBody(update, flush), deadline.left())
                        .thenApply(answer -> new Load(judge(route, answer), false))
                : inSession(update, flush, deadline);
        return outcome.exceptionally(failure -> new Load(
                UpdateOutcome.of(
                        Result.UNCERTAIN,
                        "the engine did not answer " + route + " within " + deadline.text() + ": "
                                + EventLoop.words(failure)),
                true));
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
    private CompletableFuture<Load> inSession(WeightUpdate update, boolean flush, Deadline deadline) {
        return engine.post("/begin_weight_update", Map.of(), deadline.left())
                .thenApply(EnginePort.Answer::ok)
                .thenCompose(session -> bucket(update, 0, flush, deadline)
                        .thenCompose(load -> session ? end(load) : CompletableFuture.completedFuture(load)));
    }

    private CompletableFuture<Load> end(Load load) {
        return engine.post("/end_weight_update", Map.of(), SESSION)
                .handle((answer, failure) -> failure == null && answer.ok()
                        ? load
                        : new Load(
                                UpdateOutcome.of(Result.UNCERTAIN, "the engine did not end the update"),
                                load.stray() || failure != null));
    }

    /** This bucket and those after it; the future does not fail. */
    private CompletableFuture<Load> bucket(WeightUpdate update, int index, boolean flush, Deadline deadline) {
        boolean last = index == update.bucketCount() - 1;
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("flush_cache", last && flush);
        if (last) {
            more.put("weight_version", update.version());
        }
        return engine.postBucket(update, index, more, deadline.left())
                .handle((answer, failure) -> {
                    if (failure == null) {
                        return new Load(judge(update.kind().route(), answer), false);
                    }
                    boolean missing = EventLoop.unwrapped(failure) instanceof EnginePort.BucketMissing;
                    return new Load(
                            UpdateOutcome.of(missing ? Result.REFUSED : Result.UNCERTAIN, EventLoop.words(failure)),
                            !missing);
                })
                .thenCompose(load -> {
                    if (load.outcome().is(Result.UPDATED) && !last) {
                        return bucket(update, index + 1, flush, deadline);
                    }
                    // A part of the weights is in already.
                    return CompletableFuture.completedFuture(
                            load.outcome().is(Result.REFUSED) && index > 0
                                    ? new Load(
                                            UpdateOutcome.of(
                                                    Result.UNCERTAIN,
                                                    "in bucket " + (index + 1) + ", "
                                                            + load.outcome().detail()),
                                            false)
                                    : load);
                });
    }

    private static UpdateOutcome judge(String route, EnginePort.Answer answer) {
        String text = "the engine answered " + route + " with " + answer.text();
        if (answer.ok()) {
            // SGLang answers {"success": false, ...} with 200 or 400, by version.
            return answer.body().replace(" ", "").contains("\"success\":false")
                    ? UpdateOutcome.of(Result.UNCERTAIN, text)
                    : UpdateOutcome.of(Result.UPDATED, "");
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
