/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The process of one worker, engine or router: one lifecycle after the other, each in the place of its predecessor. It starts, ends
 * and probes when asked, on threads of the worker's loop; when to do so is decided elsewhere. Safe for use by many threads.
 */
public final class ManagedProcess {
    private static final Duration GRACE = Duration.ofSeconds(10);
    /** A process that hangs will not use its grace. */
    private static final Duration HUNG_GRACE = Duration.ofSeconds(2);

    private final String what;
    private final Function<Incarnation, ? extends ServerProcess> factory;
    private final Consumer<String> probe;
    private final ThreadLoop loop;
    private final Exits exits;
    private final Object lock = new Object();
    private ServerProcess current;
    private int number;
    private @Nullable String url;
    private boolean stopped;

    /** Takes the ends of processes, on the loop. */
    public interface Exits {
        /** The process of a start ended by itself. */
        void exited(int incarnation, boolean clean, String why);

        /** What its log says of it. */
        void explained(int incarnation, String why);
    }

    /**
     * Starts nothing.
     *
     * @param what the word for messages, {@code engine} or {@code router}
     * @param factory makes a lifecycle for each start
     * @param probe whether the server at a URL does its work; a {@link WorkerFailure} says why not
     */
    public ManagedProcess(
            String what,
            Function<Incarnation, ? extends ServerProcess> factory,
            Consumer<String> probe,
            ThreadLoop loop,
            Exits exits) {
        this.what = what;
        this.factory = factory;
        this.probe = probe;
        this.loop = loop;
        this.exits = exits;
        this.current = factory.apply(Incarnation.FIRST);
        listen(current, 0);
    }

    private void listen(ServerProcess lifecycle, int incarnation) {
        lifecycle.listen(new ExitListener() {
            @Override
            public void ended(boolean clean, String why) {
                loop.execute(() -> exits.exited(incarnation, clean, why));
            }

            @Override
            public void explained(String why) {
                loop.execute(() -> exits.explained(incarnation, why));
            }
        });
    }

    /** What the first start is made of has changed; to be called before that. */
    public void renew() {
        synchronized (lock) {
            current = factory.apply(Incarnation.FIRST);
            listen(current, 0);
        }
    }

    /** The first start, on the caller's thread; returns the URL, or fails with the words of what failed. */
    public String startFirst() {
        String where = lifecycle().start();
        synchronized (lock) {
            url = where;
        }
        return where;
    }

    /** Where a predecessor of this worker's process served. */
    public void inherit(String predecessors) {
        synchronized (lock) {
            url = predecessors;
        }
    }

    /** The next start; {@code samePort} tells whether it serves where the one before did, if it can. */
    public CompletableFuture<Void> start(int incarnation, boolean samePort) {
        return loop.block(() -> {
            ServerProcess previous;
            ServerProcess next;
            synchronized (lock) {
                previous = current;
                Integer port = url == null || !samePort ? null : URI.create(url).getPort();
                next = factory.apply(new Incarnation(incarnation, port));
                listen(next, incarnation);
            }
            // What is left of it must be gone before its memory and port are taken.
            previous.shutdown(HUNG_GRACE);
            synchronized (lock) {
                if (stopped) {
                    throw new WorkerFailure("the " + what + " was ended");
                }
                current = next;
                number = incarnation;
            }
            String where = next.start();
            synchronized (lock) {
                url = where;
            }
            return null;
        });
    }

    /** Ends the process of a start, and no later one. */
    public CompletableFuture<Void> end(int incarnation, boolean gently) {
        return loop.block(() -> {
            ServerProcess ending;
            synchronized (lock) {
                if (number != incarnation) {
                    return null;
                }
                ending = current;
            }
            ending.shutdown(gently ? GRACE : HUNG_GRACE);
            return null;
        });
    }

    /** Whether the process still works. */
    public CompletableFuture<Void> probe(int incarnation) {
        return loop.block(() -> {
            probe.accept(lifecycle().url());
            return null;
        });
    }

    public ServerProcess lifecycle() {
        synchronized (lock) {
            return current;
        }
    }

    /** Where it serves, or did last; null before its first start. */
    @Nullable
    public String knownUrl() {
        synchronized (lock) {
            return url;
        }
    }

    /** Ends the process for good; returns when nothing is left of it. Harmless when repeated. */
    public void shutdown() {
        synchronized (lock) {
            stopped = true;
        }
        lifecycle().shutdown(GRACE);
    }
}
