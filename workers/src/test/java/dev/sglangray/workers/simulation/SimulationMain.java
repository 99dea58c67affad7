/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Runs seeds from the command line, on all cores: {@code FIRST COUNT [MUTATION]}, or {@code replay SEED [MUTATION [ACT,ACT,...]]}.
 * A seed that fails is printed with its shortest trace; the exit code is then 1.
 */
public final class SimulationMain {
    private SimulationMain() {}

    /** See the class. */
    public static void main(String[] words) throws InterruptedException {
        if (words[0].equals("replay")) {
            Mutation mutation = words.length > 2 ? Mutation.valueOf(words[2]) : Mutation.NONE;
            long seed = Long.parseLong(words[1]);
            System.out.print(Shrinker.report(seed, mutation, words.length > 3 ? Shrinker.acts(words[3]) : null));
            return;
        }
        long first = Long.parseLong(words[0]);
        long count = Long.parseLong(words[1]);
        Mutation mutation = words.length > 2 ? Mutation.valueOf(words[2]) : Mutation.NONE;
        long begin = System.nanoTime();
        Long failed = firstFailure(first, count, mutation);
        double seconds = (System.nanoTime() - begin) / 1e9;
        if (failed == null) {
            System.out.printf(Locale.ROOT, "%d seeds from %d held in %.1f s%n", count, first, seconds);
        } else {
            System.out.printf(Locale.ROOT, "seed %d fails, the %dth (%.1f s)%n", failed, failed - first + 1, seconds);
            System.out.print(Shrinker.report(failed, mutation, null));
            System.exit(1);
        }
    }

    /** The lowest seed that fails, or null. */
    static @Nullable Long firstFailure(long first, long count, Mutation mutation) throws InterruptedException {
        AtomicLong next = new AtomicLong(first);
        AtomicLong lowest = new AtomicLong(Long.MAX_VALUE);
        Thread[] threads = new Thread[Runtime.getRuntime().availableProcessors()];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(
                    () -> {
                        long seed = next.getAndIncrement();
                        while (seed < first + count && seed < lowest.get()) {
                            if (Simulation.run(seed, null, mutation, false).violation() != null) {
                                long mine = seed;
                                lowest.accumulateAndGet(mine, Math::min);
                            }
                            seed = next.getAndIncrement();
                        }
                    },
                    "simulation-" + i);
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return lowest.get() == Long.MAX_VALUE ? null : lowest.get();
    }

    static Set<Integer> all(int count) {
        Set<Integer> all = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            all.add(i);
        }
        return all;
    }
}
