/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Makes the story of a failing seed as short as it can be: acts without which it still fails are left out. */
final class Shrinker {
    private Shrinker() {}

    static Set<Integer> acts(String list) {
        return Arrays.stream(list.split(","))
                .filter(word -> !word.isBlank())
                .map(Integer::valueOf)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** A smallest set of acts that fails. */
    static Set<Integer> shrink(long seed, Mutation mutation) {
        Set<Integer> kept =
                SimulationMain.all(Simulation.run(seed, null, mutation, false).actions());
        boolean smaller = true;
        while (smaller) {
            smaller = false;
            for (int act : List.copyOf(kept)) {
                Set<Integer> fewer = new TreeSet<>(kept);
                fewer.remove(act);
                if (Simulation.run(seed, fewer, mutation, false).violation() != null) {
                    kept = fewer;
                    smaller = true;
                }
            }
        }
        return kept;
    }

    /** The trace of a failing seed, with the words that replay it. */
    static String report(long seed, Mutation mutation, @Nullable Set<Integer> acts) {
        Simulation.Outcome whole = Simulation.run(seed, acts, mutation, false);
        if (whole.violation() == null) {
            return "seed " + seed + " holds, after " + whole.steps() + " steps\n"
                    + (acts == null
                            ? ""
                            : String.join(
                                            "\n",
                                            Simulation.run(seed, acts, mutation, true)
                                                    .trace()) + "\n");
        }
        Set<Integer> kept = acts == null ? shrink(seed, mutation) : acts;
        Simulation.Outcome outcome = Simulation.run(seed, kept, mutation, true);
        List<String> lines = new ArrayList<>(outcome.trace());
        lines.add("seed " + seed + ": " + outcome.violation());
        lines.add("replay " + seed + " " + mutation + " "
                + kept.stream().map(String::valueOf).collect(Collectors.joining(",")));
        return String.join("\n", lines) + "\n";
    }
}
