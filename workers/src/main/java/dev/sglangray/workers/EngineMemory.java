/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.supervision.Hold;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Lends an engine's accelerator memory to somebody and takes it back. From before the release until after the resume the
 * engine gets no requests, its probes rest, and a process that ends is not started again: there would be no room for it.
 * SGLang ends an engine that is told to release while it has requests, or twice, so what is lent is known here. Safe for use
 * by many threads.
 */
final class EngineMemory {
    /** What SGLang can release; without a word it releases all. */
    static final List<String> ALL = List.of("kv_cache", "weights", "cuda_graph");

    private final Keeper keeper;
    private final EngineControl control;
    private final ChangeLock changes;
    private final MemoryFile file;
    private final IntSupplier generation;
    private final Supplier<Optional<String>> refusal;
    private volatile Lent lent;

    /**
     * What is lent.
     *
     * @param tags by SGLang's words
     * @param uncertain whether an answer was lost, so that the engine may or may not have done the last thing
     * @param generation of which process
     */
    record Lent(List<String> tags, boolean uncertain, int generation) {
        Lent {
            tags = List.copyOf(tags);
        }

        boolean isNothing() {
            return tags.isEmpty() && !uncertain;
        }
    }

    /**
     * Has lent nothing.
     *
     * @param generation counts the engine's processes
     * @param refusal why this engine can lend nothing, if so
     */
    EngineMemory(
            Keeper keeper,
            EngineControl control,
            ChangeLock changes,
            MemoryFile file,
            IntSupplier generation,
            Supplier<Optional<String>> refusal) {
        this.keeper = keeper;
        this.control = control;
        this.changes = changes;
        this.file = file;
        this.generation = generation;
        this.refusal = refusal;
        this.lent = nothing();
    }

    private Lent nothing() {
        return new Lent(List.of(), false, generation.getAsInt());
    }

    /** Takes over what a predecessor had lent: its process is gone, and a new one must wait until the memory is back. */
    void inherit() {
        file.load(Lent.class).filter(past -> !past.isNothing()).ifPresent(past -> {
            lent = new Lent(past.tags(), past.uncertain(), generation.getAsInt());
            keeper.holdQuietly(Hold.MEMORY, words(lent));
        });
    }

    /** Lends what is not lent yet; nothing for what is. Empty tags mean all. */
    boolean release(List<String> tags, Duration longest) {
        return changes.alone("releaseMemory", longest, deadline -> {
            refusal.get().ifPresent(why -> {
                throw new WorkerFailure(why);
            });
            Lent before = current();
            if (before.uncertain()) {
                throw new WorkerFailure("an earlier answer was lost, so that it is not known what is released;"
                        + " resumeMemory puts that right, by a new process");
            }
            List<String> missing = (tags.isEmpty() ? ALL : tags)
                    .stream().filter(tag -> !before.tags().contains(tag)).toList();
            if (!missing.isEmpty()) {
                release(before, tags.isEmpty() && before.tags().isEmpty(), missing, deadline);
            }
            return true;
        });
    }

    private void release(Lent before, boolean all, List<String> missing, Deadline deadline) {
        List<String> together = new ArrayList<>(before.tags());
        together.addAll(missing);
        Lent after = new Lent(together, false, generation.getAsInt());
        boolean kept = false;
        try {
            keeper.hold(Hold.MEMORY, words(after), null, deadline.left());
            kept = !keeper.awaitServing(deadline.left()) || ask("release", all, missing, before, deadline);
            remember(after);
        } finally {
            if (!kept && current().isNothing()) {
                keeper.liftQuietly(Hold.MEMORY);
            }
        }
    }

    /** Takes back what is lent of these tags; nothing for what is not. Empty tags mean all. */
    boolean resume(List<String> tags, Duration longest) {
        return changes.alone("resumeMemory", longest, deadline -> {
            Lent before = current();
            List<String> back = before.tags().stream()
                    .filter(tag -> tags.isEmpty() || tags.contains(tag))
                    .toList();
            if (before.uncertain()) {
                keeper.restartSoon("what it has released is not known");
                remember(nothing());
            } else if (!back.isEmpty() && !keeper.awaitServing(deadline.left())) {
                // Its process ended meanwhile: a new one takes all of the memory.
                remember(nothing());
            } else if (!back.isEmpty()) {
                var unused = ask("resume", back.equals(ALL), back, before, deadline);
                List<String> still = new ArrayList<>(before.tags());
                still.removeAll(back);
                remember(new Lent(still, false, generation.getAsInt()));
            }
            if (current().isNothing()) {
                giveBack(deadline);
            } else {
                keeper.hold(Hold.MEMORY, words(current()), null, deadline.left());
            }
            return true;
        });
    }

    private void giveBack(Deadline deadline) {
        if (!keeper.lift(Hold.MEMORY, deadline.left())) {
            throw new WorkerFailure("the engine has its memory, but was not back in the router within "
                    + deadline.text() + "; its worker goes on trying");
        }
    }

    private boolean ask(String verb, boolean all, List<String> tags, Lent before, Deadline deadline) {
        if (verb.equals("release")) {
            int busy = control.awaitIdle(deadline.left());
            if (busy > 0) {
                throw new WorkerFailure("the engine still has " + busy + " request(s) after " + deadline.text()
                        + "; nothing was released. Wait for them, abort them, or pause the generation first");
            }
        }
        String path = "/" + verb + "_memory_occupation";
        Map<String, Object> body = new LinkedHashMap<>();
        if (!all) {
            body.put("tags", tags);
        }
        try {
            EngineControl.Answer answer = control.post(path, body, deadline.left());
            if (!answer.ok()) {
                throw new WorkerFailure("the engine answered " + path + " with " + answer.text());
            }
            return true;
        } catch (IOException e) {
            remember(new Lent(before.tags(), true, generation.getAsInt()));
            throw new WorkerFailure(
                    "the engine did not answer " + path + " within " + deadline.text() + " (" + e
                            + "), so that it is not known what it has released; resumeMemory puts that right, by a new process");
        }
    }

    /** What is lent now. */
    Lent current() {
        Lent now = lent;
        // A new process has all of its memory.
        return now.generation() == generation.getAsInt() ? now : nothing();
    }

    private void remember(Lent now) {
        lent = now;
        file.save(now);
    }

    void forget() {
        file.delete();
    }

    private static String words(Lent now) {
        return "memory released: " + String.join(", ", now.tags()) + (now.uncertain() ? " (uncertain)" : "");
    }
}
