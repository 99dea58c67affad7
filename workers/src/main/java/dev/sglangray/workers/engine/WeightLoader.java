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

    /** UPDATED, REFUSED or UNCERTAIN; the future does not fail. */
    CompletableFuture<UpdateOutcome> load(WeightUpdate update, boolean flush, Deadline deadline) {
        String route = update.kind().route();
        CompletableFuture<UpdateOutcome> outcome = update.kind() == WeightUpdate.Kind.DISK
                ? engine.post(route, diskBody(update, flush), deadline.left()).thenApply(answer -> judge(route, answer))
                : inSession(update, flush, deadline);
        return outcome.exceptionally(failure -> UpdateOutcome.of(
                Result.UNCERTAIN,
                "the engine did not answer " + route + " within " + deadline.text() + ": " + EventLoop.words(failure)));
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
    private CompletableFuture<UpdateOutcome> inSession(WeightUpdate update, boolean flush, Deadline deadline) {
        return engine.post("/begin_weight_update", Map.of(), deadline.left())
                .thenApply(EnginePort.Answer::ok)
                .thenCompose(session -> bucket(update, 0, flush, deadline)
                        .handle((outcome, failure) -> failure == null
                                ? outcome
                                : UpdateOutcome.of(Result.UNCERTAIN, EventLoop.words(failure)))
                        .thenCompose(outcome -> session ? end(outcome) : CompletableFuture.completedFuture(outcome)));
    }

    private CompletableFuture<UpdateOutcome> end(UpdateOutcome outcome) {
        return engine.post("/end_weight_update", Map.of(), SESSION)
                .handle((answer, failure) -> failure == null && answer.ok()
                        ? outcome
                        : UpdateOutcome.of(Result.UNCERTAIN, "the engine did not end the update"));
    }

    private CompletableFuture<UpdateOutcome> bucket(WeightUpdate update, int index, boolean flush, Deadline deadline) {
        boolean last = index == update.bucketCount() - 1;
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("flush_cache", last && flush);
        if (last) {
            more.put("weight_version", update.version());
        }
        return engine.postBucket(update, index, more, deadline.left())
                .handle((answer, failure) -> {
                    UpdateOutcome outcome;
                    if (failure == null) {
                        outcome = judge(update.kind().route(), answer);
                    } else {
                        outcome = UpdateOutcome.of(
                                EventLoop.unwrapped(failure) instanceof EnginePort.BucketMissing
                                        ? Result.REFUSED
                                        : Result.UNCERTAIN,
                                EventLoop.words(failure));
                    }
                    return outcome.is(Result.REFUSED) && index > 0
                            ? UpdateOutcome.of(Result.UNCERTAIN, "in bucket " + (index + 1) + ", " + outcome.detail())
                            : outcome;
                })
                .thenCompose(outcome -> last || !outcome.is(Result.UPDATED)
                        ? CompletableFuture.completedFuture(outcome)
                        : bucket(update, index + 1, flush, deadline));
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
