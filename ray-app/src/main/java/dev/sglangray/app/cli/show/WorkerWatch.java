/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.WorkerGroup;
import dev.sglangray.workers.WorkerGroupFuture;
import dev.sglangray.workers.WorkerTimeoutException;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One worker as it was when last looked at. Not thread-safe. */
final class WorkerWatch {
    /** Ray replaces a worker's process within seconds, and a node that comes back within minutes. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private enum Seen {
        WELL,
        HEALING,
        LOST
    }

    private final String name;
    private final WorkerGroup<?> worker;
    private final boolean heals;
    private Seen seen = Seen.WELL;
    private @Nullable String lost;
    private @Nullable WorkerGroupFuture<WorkerStatus> asked;
    private long silentSince = -1;

    /**
     * Thinks well of it at first.
     *
     * @param name for messages
     * @param worker a group of one
     * @param heals whether its policy is to restart what dies
     */
    WorkerWatch(String name, WorkerGroup<?> worker, boolean heals) {
        this.name = name;
        this.worker = worker;
        this.heals = heals;
    }

    /** Asks, for the next {@link #look(long)}: so many can be asked at the same time. */
    void ask() {
        asked = seen == Seen.LOST && !heals ? null : worker.status();
    }

    /**
     * Looks at the answer; what to tell, if anything has changed.
     *
     * @param end until when it is waited for, by {@link System#nanoTime()}
     */
    Optional<String> look(long end) {
        if (asked == null) {
            return Optional.empty();
        }
        try {
            WorkerStatus status = asked.await(Duration.ofNanos(Math.max(1, end - System.nanoTime())))
                    .get(0);
            silentSince = -1;
            return look(status);
        } catch (WorkerTimeoutException e) {
            // Slow is not lost: the node may be busy.
            return Optional.empty();
        } catch (WorkerException e) {
            return silent(String.valueOf(e.getMessage()));
        }
    }

    private Optional<String> look(WorkerStatus status) {
        return switch (status.state()) {
            case "READY", "DRAINED" ->
                become(
                        Seen.WELL,
                        name + " serves again (restart " + status.supervision().restarts() + ")");
            case "RESTARTING", "STARTING" ->
                become(
                        Seen.HEALING,
                        name + " is being replaced: "
                                + first(status.supervision().lastError()));
            default -> lose(Objects.requireNonNullElse(status.supervision().failure(), "it is " + status.state()));
        };
    }

    private Optional<String> silent(String why) {
        long now = System.nanoTime();
        if (silentSince < 0) {
            silentSince = now;
        }
        boolean mayReturn = heals && worker.isNamed() && now - silentSince < PATIENCE.toNanos();
        return mayReturn ? become(Seen.HEALING, name + " is being replaced: " + first(why)) : lose(why);
    }

    private Optional<String> lose(String why) {
        lost = why;
        return become(Seen.LOST, name + " is lost: " + why);
    }

    private Optional<String> become(Seen now, String text) {
        if (now != Seen.LOST) {
            lost = null;
        }
        boolean news = now != seen;
        seen = now;
        return news ? Optional.of(text) : Optional.empty();
    }

    private static String first(@Nullable String text) {
        return text == null ? "" : text.lines().findFirst().orElse("");
    }

    /** Why it is lost for good, if it is. */
    Optional<String> lost() {
        return Optional.ofNullable(lost);
    }
}
