/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.EnginePlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;

/**
 * Which engines of a fleet start at once, and which wait for others: those that share an accelerator start one after the
 * other. SGLang takes its memory by what is free before and after it loads its weights, so that an engine which takes memory
 * meanwhile makes it fail, or take too little.
 */
final class StartOrder {
    /** The ranks in the plan's order, each with those that must serve before it starts. */
    private final Map<Integer, List<Integer>> before;

    private StartOrder(Map<Integer, List<Integer>> before) {
        this.before = before;
    }

    private record Piece(int node, int accelerator) {}

    /** The order for a plan's engines. */
    static StartOrder of(List<EnginePlan> engines) {
        Map<Integer, List<Integer>> before = new LinkedHashMap<>();
        Map<Piece, Integer> last = new HashMap<>();
        for (EnginePlan engine : engines) {
            List<Integer> earlier = new ArrayList<>();
            for (int accelerator : engine.placement().localHardwareRanks()) {
                Integer sharer = last.put(new Piece(engine.node().rank(), accelerator), engine.rank());
                if (sharer != null && !earlier.contains(sharer)) {
                    earlier.add(sharer);
                }
            }
            before.put(engine.rank(), List.copyOf(earlier));
        }
        return new StartOrder(before);
    }

    /** How many engines start one after the other where most share an accelerator; 1 where none do, 0 without engines. */
    int rounds() {
        Map<Integer, Integer> round = new HashMap<>();
        int most = 0;
        for (Map.Entry<Integer, List<Integer>> engine : before.entrySet()) {
            int own = 1;
            for (int earlier : engine.getValue()) {
                own = Math.max(own, 1 + round.getOrDefault(earlier, 0));
            }
            round.put(engine.getKey(), own);
            most = Math.max(most, own);
        }
        return most;
    }

    /** How long all may take where one may take so long. */
    Duration longest(Duration one) {
        return one.multipliedBy(Math.max(1, rounds()));
    }

    /**
     * Starts engines, each as soon as those before it serve; one whose predecessor failed is not started and fails alike.
     *
     * @param start starts the engine of a rank and completes when it serves
     * @return one future for each engine, in the plan's order
     */
    List<CompletableFuture<?>> start(IntFunction<CompletableFuture<Void>> start) {
        Map<Integer, CompletableFuture<Void>> started = new LinkedHashMap<>();
        before.forEach((rank, earlier) -> started.put(
                rank,
                earlier.isEmpty()
                        ? start.apply(rank)
                        : CompletableFuture.allOf(
                                        earlier.stream().map(started::get).toArray(CompletableFuture<?>[]::new))
                                .thenCompose(all -> start.apply(rank))));
        return List.copyOf(started.values());
    }
}
