/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/** Takes what a trainer reports of its steps. Reports are checked also where nothing shows them. Safe for use by several threads. */
public final class TrainerReports {
    private final Consumer<TrainerStep> sink;
    private final Set<String> names = new TreeSet<>();

    /** Hands each report on. */
    public TrainerReports(Consumer<TrainerStep> sink) {
        this.sink = sink;
    }

    /**
     * One report; a further one of the same step adds to it.
     *
     * @throws IllegalArgumentException when it has more names than a fleet's trainer may use in all
     */
    public synchronized void take(TrainerStep step) {
        Set<String> all = new TreeSet<>(names);
        all.addAll(step.values().keySet());
        if (all.size() > TrainerStep.MOST_NAMES) {
            throw new IllegalArgumentException("step " + step.step() + " makes " + all.size()
                    + " names of reported values, and a fleet has " + TrainerStep.MOST_NAMES + " at most; it has "
                    + String.join(", ", names));
        }
        names.addAll(all);
        sink.accept(step);
    }
}
