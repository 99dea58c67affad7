/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.supervision.Hold;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Stops an engine's generation and lets it go on. The router goes on sending to it: requests wait inside the engine. Probes
 * rest meanwhile, because they would wait too. Safe for use by many threads.
 */
final class EnginePause {
    private final Keeper keeper;
    private final EngineControl control;
    private final ChangeLock changes;
    private final MemoryFile file;
    private volatile @Nullable PauseMode paused;

    /** As it is kept. */
    record Kept(@Nullable PauseMode mode) {}

    EnginePause(Keeper keeper, EngineControl control, ChangeLock changes, MemoryFile file) {
        this.keeper = keeper;
        this.control = control;
        this.changes = changes;
        this.file = file;
    }

    /** Takes over a predecessor's pause. */
    void inherit() {
        file.load(Kept.class).map(Kept::mode).ifPresent(mode -> {
            paused = mode;
            keeper.holdQuietly(Hold.GENERATION, words(mode));
            renewed();
        });
    }

    /** The engine has a new process, which would generate, so that it waits outside until the pause is over. */
    void renewed() {
        PauseMode mode = paused;
        if (mode != null) {
            keeper.holdQuietly(Hold.LATE, "started anew while " + words(mode));
        }
    }

    /** Pauses; harmless when repeated. */
    boolean pause(PauseMode mode, Duration longest) {
        return changes.alone("pauseGeneration", longest, deadline -> {
            boolean before = paused != null;
            keeper.hold(Hold.GENERATION, words(mode), null, deadline.left());
            try {
                send(mode, deadline.left());
            } catch (Refused e) {
                if (!before) {
                    keeper.liftQuietly(Hold.GENERATION);
                }
                throw new WorkerFailure(String.valueOf(e.getMessage()));
            } catch (IOException e) {
                // It may have been done, and continueGeneration undoes it either way.
                remember(mode);
                throw new WorkerFailure(
                        "the engine did not answer /pause_generation within " + deadline.text() + ": " + e);
            }
            remember(mode);
            return true;
        });
    }

    /** Goes on; harmless when repeated. */
    boolean resume(Duration longest) {
        return changes.alone("continueGeneration", longest, deadline -> {
            if (keeper.awaitServing(deadline.left())) {
                goOn(deadline.left());
            }
            remember(null);
            keeper.liftQuietly(Hold.GENERATION);
            if (!keeper.lift(Hold.LATE, deadline.left())) {
                throw new WorkerFailure("the engine generates, but was not in the router within " + deadline.text()
                        + "; its worker goes on trying");
            }
            return true;
        });
    }

    /** The engine has said no, in its words. */
    static final class Refused extends IOException {
        Refused(String message) {
            super(message);
        }
    }

    /** Only the request, without anything that is remembered of it. */
    void send(PauseMode mode, Duration longest) throws IOException {
        EngineControl.Answer answer = control.post("/pause_generation", Map.of("mode", mode.word()), longest);
        if (!answer.ok()) {
            throw new Refused("the engine answered /pause_generation with " + answer.text());
        }
    }

    /** Only the request. */
    void goOn(Duration longest) {
        try {
            EngineControl.Answer answer = control.post("/continue_generation", Map.of(), longest);
            if (!answer.ok()) {
                throw new WorkerFailure("the engine answered /continue_generation with " + answer.text());
            }
        } catch (IOException e) {
            throw new WorkerFailure("the engine did not answer /continue_generation: " + e);
        }
    }

    /** How it is paused, if it is. */
    Optional<PauseMode> mode() {
        return Optional.ofNullable(paused);
    }

    private void remember(@Nullable PauseMode mode) {
        paused = mode;
        file.save(new Kept(mode));
    }

    void forget() {
        file.delete();
    }

    private static String words(PauseMode mode) {
        return "generation paused (" + mode.word() + ")";
    }
}
