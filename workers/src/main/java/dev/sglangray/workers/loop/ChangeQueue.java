/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Lets one change happen at a time; others wait for their turn. For use on one event loop only. */
public final class ChangeQueue {
    private final EventLoop loop;
    private final BiFunction<String, String, RuntimeException> tooLate;
    private final Deque<Place> queue = new ArrayDeque<>();
    private String underWay = "";
    private boolean taken;

    /** One change that waits. */
    private static final class Place {
        final CompletableFuture<Void> turn = new CompletableFuture<>();
    }

    /**
     * Nothing is under way.
     *
     * @param tooLate makes the failure of a change that got no turn in time, from its name and words
     */
    public ChangeQueue(EventLoop loop, BiFunction<String, String, RuntimeException> tooLate) {
        this.loop = loop;
        this.tooLate = tooLate;
    }

    /** Whether a change is under way or waits. */
    public boolean isTaken() {
        return taken;
    }

    /**
     * Runs a change when it has its turn.
     *
     * @param what names it, for those that wait
     * @param timeout for the wait and the change
     */
    public <T> CompletableFuture<T> alone(
            String what, Duration timeout, Function<Deadline, CompletableFuture<T>> change) {
        Deadline deadline = Deadline.in(loop, timeout);
        return turn(what, deadline).thenCompose(mine -> {
            underWay = what;
            CompletableFuture<T> running;
            try {
                running = change.apply(deadline);
            } catch (RuntimeException e) {
                running = CompletableFuture.failedFuture(e);
            }
            return running.whenComplete((value, failure) -> next());
        });
    }

    private CompletableFuture<Void> turn(String what, Deadline deadline) {
        if (!taken) {
            taken = true;
            return CompletableFuture.completedFuture(null);
        }
        Place place = new Place();
        queue.addLast(place);
        EventLoop.Timer timer = loop.schedule(deadline.left(), () -> {
            if (queue.remove(place)) {
                place.turn.completeExceptionally(
                        tooLate.apply(what, underWay + " was still under way after " + deadline.text()));
            }
        });
        return place.turn.whenComplete((value, failure) -> timer.cancel());
    }

    private void next() {
        Place waiting = queue.pollFirst();
        if (waiting == null) {
            taken = false;
            underWay = "";
        } else {
            waiting.turn.complete(null);
        }
    }
}
