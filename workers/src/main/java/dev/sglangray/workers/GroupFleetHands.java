/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.UpdateOutcome.Result;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The groups of a fleet, for one update of their weights. */
final class GroupFleetHands implements FleetHands {
    /** A worker answers in time; this is for the way there and back. */
    private static final Duration WAY = Duration.ofSeconds(15);

    private final ServerGroup servers;
    private final @Nullable RouterGroup router;
    private final String updateJson;
    private final String version;

    GroupFleetHands(ServerGroup servers, @Nullable RouterGroup router, WeightUpdate update) {
        this.servers = servers;
        this.router = router;
        this.updateJson = Json.write(update);
        this.version = update.version();
    }

    @Override
    public List<Integer> ranks() {
        return servers.ranks();
    }

    @Override
    public FleetWeights weights(Duration longest) {
        return router != null
                ? router.fleetWeights().await(longest).get(0)
                : servers.fleetWeights().await(longest).get(0);
    }

    @Override
    public Map<Integer, UpdateOutcome> prepare(List<Integer> ranks, Duration longest, Duration lease) {
        return each(
                ranks,
                longest,
                engine -> engine.prepareUpdate(updateJson, longest, lease),
                why -> UpdateOutcome.of(Result.ABSENT, why));
    }

    @Override
    public Map<Integer, UpdateOutcome> apply(List<Integer> ranks, Duration longest) {
        return each(
                ranks,
                longest,
                engine -> engine.applyUpdate(updateJson, longest),
                why -> UpdateOutcome.of(Result.UNCERTAIN, why));
    }

    @Override
    public void commit(FleetWeights weights, boolean mixing, Duration longest) {
        if (router != null) {
            var unused = router.commitWeights(weights, mixing).await(longest);
        }
    }

    @Override
    public Map<Integer, String> settle(List<Integer> ranks, FleetWeights weights, Duration longest) {
        String json = Json.write(weights);
        return each(ranks, longest, engine -> engine.settleUpdate(json, version, longest), why -> why);
    }

    @Override
    public void settleSoon(List<Integer> ranks, FleetWeights weights) {
        String json = Json.write(weights);
        ranks.forEach(rank -> {
            var unused = servers.on(rank).settleUpdate(json, version, WAY);
        });
    }

    private <T> Map<Integer, T> each(
            List<Integer> ranks,
            Duration longest,
            Function<ServerGroup, WorkerGroupFuture<T>> call,
            Function<String, T> failed) {
        Map<Integer, CompletableFuture<T>> answers = new LinkedHashMap<>();
        for (int rank : ranks) {
            answers.put(
                    rank,
                    call.apply(servers.on(rank))
                            .toCompletableFuture()
                            .thenApply(values -> values.get(0))
                            .orTimeout(longest.plus(WAY).toMillis(), TimeUnit.MILLISECONDS)
                            .exceptionally(failure -> failed.apply(words(failure))));
        }
        Map<Integer, T> all = new LinkedHashMap<>();
        try {
            for (Map.Entry<Integer, CompletableFuture<T>> answer : answers.entrySet()) {
                all.put(answer.getKey(), answer.getValue().get());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerInterruptedException(servers.name(), "updateWeights", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("These futures never fail.", e);
        }
        return all;
    }

    private static String words(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof TimeoutException
                ? "its worker did not answer in time"
                : String.valueOf(cause.getMessage() == null ? cause.toString() : cause.getMessage());
    }
}
