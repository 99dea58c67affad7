/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.WorkerGroupFuture;
import dev.sglangray.workers.WorkerInterruptedException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;

/** Asks all engines at the same time, so that those that do not answer cost one deadline together. Stateless. */
final class EachEngine {
    private EachEngine() {}

    /**
     * The answers by rank; without those of engines that do not answer in time.
     *
     * @param silent gets the failure of each of these
     * @throws WorkerInterruptedException when this thread is interrupted
     */
    static <T> Map<Integer, T> ask(
            ServerGroup engines,
            Function<ServerGroup, WorkerGroupFuture<T>> question,
            Duration timeout,
            Consumer<WorkerException> silent) {
        Map<Integer, WorkerGroupFuture<T>> asked = new TreeMap<>();
        engines.ranks().forEach(rank -> asked.put(rank, question.apply(engines.on(rank))));
        long end = System.nanoTime() + timeout.toNanos();
        Map<Integer, T> answers = new TreeMap<>();
        asked.forEach((rank, answer) -> {
            try {
                Duration left = Duration.ofNanos(Math.max(1, end - System.nanoTime()));
                answers.put(rank, answer.await(left).get(0));
            } catch (WorkerInterruptedException e) {
                throw e;
            } catch (WorkerException e) {
                silent.accept(e);
            }
        });
        return answers;
    }
}
