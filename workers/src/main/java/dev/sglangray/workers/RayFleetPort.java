/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.UpdateOutcome.Result;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.registry.EngineRegistry.Commit;
import dev.sglangray.workers.update.FleetPort;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The groups of a fleet, for one update of its weights. The engines are those that the fleet has when the update begins. */
final class RayFleetPort implements FleetPort {
    /** A worker answers in time; this is for the way there and back. */
    private static final Duration WAY = Duration.ofSeconds(15);

    private static final Duration QUICK = Duration.ofSeconds(20);

    private final ThreadLoop loop;
    private final Supplier<ServerGroup> group;
    private final @Nullable RouterGroup router;
    private @Nullable ServerGroup servers;

    /** {@code group}: the engines of now, which may block while it looks. */
    RayFleetPort(ThreadLoop loop, Supplier<ServerGroup> group, @Nullable RouterGroup router) {
        this.loop = loop;
        this.group = group;
        this.router = router;
    }

    private ServerGroup servers() {
        ServerGroup known = servers;
        if (known == null) {
            throw new IllegalStateException("the engines were not looked up");
        }
        return known;
    }

    private <T> CompletableFuture<T> bounded(Duration timeout, WorkerGroupFuture<T> call) {
        CompletableFuture<T> answer = loop.here(call.toCompletableFuture()).thenApply(values -> values.get(0));
        return loop.within(timeout, answer, () -> new WorkerFailure("no answer within " + timeout.toSeconds() + " s"));
    }

    @Override
    public CompletableFuture<List<Integer>> ranks() {
        return loop.block(group).thenApply(found -> {
            servers = found;
            return found.ranks();
        });
    }

    @Override
    public CompletableFuture<String> beginChange(String kind, String token, Duration lease) {
        return router == null
                ? CompletableFuture.completedFuture("")
                : bounded(QUICK, router.beginChange(kind, token, lease));
    }

    @Override
    public CompletableFuture<Void> endChange(String token) {
        return router == null
                ? CompletableFuture.completedFuture(null)
                : bounded(QUICK, router.endChange(token)).handle((ended, failure) -> null);
    }

    @Override
    public CompletableFuture<FleetWeights> weights() {
        if (router != null) {
            return bounded(QUICK, router.fleetWeights());
        }
        return loop.block(group)
                .thenCompose(found -> loop.here(found.fleetWeights()
                                .toCompletableFuture()
                                .orTimeout(QUICK.toSeconds(), TimeUnit.SECONDS))
                        .thenApply(all -> all.stream()
                                .reduce((a, b) -> b.generation() > a.generation() ? b : a)
                                .orElse(FleetWeights.INITIAL)));
    }

    @Override
    public CompletableFuture<Map<Integer, UpdateOutcome>> prepare(
            List<Integer> ranks, UpdateNotice notice, Duration timeout, Duration lease) {
        String json = ProtocolJson.write(notice);
        return each(
                ranks,
                timeout,
                engine -> engine.prepareUpdate(json, timeout, lease),
                why -> UpdateOutcome.of(Result.ABSENT, why));
    }

    @Override
    public CompletableFuture<Map<Integer, UpdateOutcome>> apply(
            List<Integer> ranks, String id, WeightUpdate update, Duration timeout) {
        String json = ProtocolJson.write(update);
        return each(
                ranks,
                timeout,
                engine -> engine.applyUpdate(id, json, timeout),
                why -> UpdateOutcome.of(Result.UNCERTAIN, why));
    }

    @Override
    public CompletableFuture<Commit> commit(FleetWeights weights, String token) {
        return router == null
                ? CompletableFuture.completedFuture(new Commit(true, true, weights))
                : bounded(QUICK, router.commitWeights(weights, token));
    }

    @Override
    public CompletableFuture<Map<Integer, String>> settle(
            List<Integer> ranks, FleetWeights weights, String id, Duration timeout) {
        String json = ProtocolJson.write(weights);
        return each(ranks, timeout, engine -> engine.settleUpdate(json, id, timeout), why -> why);
    }

    private <T> CompletableFuture<Map<Integer, T>> each(
            List<Integer> ranks,
            Duration timeout,
            Function<ServerGroup, WorkerGroupFuture<T>> call,
            Function<String, T> failed) {
        Map<Integer, CompletableFuture<T>> answers = new LinkedHashMap<>();
        for (int rank : ranks) {
            answers.put(
                    rank,
                    loop.here(call.apply(servers().on(rank))
                                    .toCompletableFuture()
                                    .orTimeout(timeout.plus(WAY).toMillis(), TimeUnit.MILLISECONDS))
                            .thenApply(values -> values.get(0))
                            .exceptionally(failure -> failed.apply(words(failure))));
        }
        return CompletableFuture.allOf(answers.values().toArray(CompletableFuture<?>[]::new))
                .thenApply(nothing -> {
                    Map<Integer, T> all = new LinkedHashMap<>();
                    answers.forEach((rank, answer) -> all.put(rank, answer.join()));
                    return all;
                });
    }

    private static String words(Throwable failure) {
        return EventLoop.unwrapped(failure) instanceof TimeoutException
                ? "its worker did not answer in time"
                : EventLoop.words(failure);
    }
}
