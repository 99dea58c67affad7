/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/** Waits of code on one event loop for conditions of that loop's state. For use on the loop only. */
public final class ConditionWaits {
    private final EventLoop loop;
    private final List<Waiter> waiting = new ArrayList<>();

    private record Waiter(BooleanSupplier condition, CompletableFuture<Boolean> done) {}

    /** No call waits yet. */
    public ConditionWaits(EventLoop loop) {
        this.loop = loop;
    }

    /** Completes with true once a condition holds, with false when the time is over before. */
    public CompletableFuture<Boolean> until(BooleanSupplier condition, Duration timeout) {
        if (condition.getAsBoolean()) {
            return CompletableFuture.completedFuture(true);
        }
        Waiter waiter = new Waiter(condition, new CompletableFuture<>());
        waiting.add(waiter);
        EventLoop.Timer timer = loop.schedule(timeout, () -> {
            waiting.remove(waiter);
            waiter.done().complete(condition.getAsBoolean());
        });
        return waiter.done().whenComplete((value, failure) -> timer.cancel());
    }

    /** State has changed: completes the waits whose condition holds now. */
    public void changed() {
        // Those that are completed may change state or wait again.
        for (Waiter waiter : List.copyOf(waiting)) {
            if (waiter.condition().getAsBoolean() && waiting.remove(waiter)) {
                waiter.done().complete(true);
            }
        }
    }
}
