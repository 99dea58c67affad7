/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.EventSink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Registers and removes servers at a router that may be replaced at any time, so that the router that runs lists the active
 * servers of the roster. Without Ray. Safe for use by many threads.
 */
final class RouterDesk implements Outside {
    private static final Duration AGAIN = Duration.ofSeconds(30);
    private static final Duration RESUME = Duration.ofSeconds(90);
    private static final Duration SHORT = Duration.ofSeconds(10);
    private static final Duration UNREGISTER = Duration.ofMinutes(1);

    private final Roster roster;
    private final LivenessProbe probe;
    private final Function<String, RouterApi> dial;
    private final UnaryOperator<ServerEndpoint> completed;
    private final Function<ServerEndpoint, Optional<String>> weights;
    private final ExecutorService registers;
    private volatile EventSink events = (kind, text) -> {};
    private volatile @Nullable RouterApi api;

    /**
     * Without a router at first.
     *
     * @param dial the control API of a router at a URL
     * @param completed an endpoint of the roster with what only the server's worker knows, such as its key
     * @param weights the version of the weights that a server says it has, if it says so
     */
    RouterDesk(
            Roster roster,
            LivenessProbe probe,
            Function<String, RouterApi> dial,
            UnaryOperator<ServerEndpoint> completed,
            Function<ServerEndpoint, Optional<String>> weights) {
        this.roster = roster;
        this.probe = probe;
        this.dial = dial;
        this.completed = completed;
        this.weights = weights;
        this.registers = new ThreadPoolExecutor(
                0,
                16,
                10,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                task -> {
                    Thread thread = new Thread(task, "sglang-ray-register");
                    thread.setDaemon(true);
                    thread.setContextClassLoader(RouterDesk.class.getClassLoader());
                    return thread;
                },
                new ThreadPoolExecutor.CallerRunsPolicy());
    }

    void report(EventSink sink) {
        events = sink;
    }

    /** The router serves for the first time. */
    void open(String url) {
        api = dial.apply(url);
    }

    private RouterApi api() {
        RouterApi current = api;
        if (current == null) {
            throw new WorkerFailure("the router does not run at the moment");
        }
        return current;
    }

    /** Somebody adds a server; one that says that it has other weights than the fleet is refused. */
    RegisteredServer register(ServerEndpoint wanted, Duration timeout) {
        RouterApi current = api();
        ServerEndpoint server = withWeights(wanted);
        // A member at once, so that it can be suspended while the router still looks at it.
        boolean known = roster.knows(server.url());
        roster.add(server);
        try {
            RegisteredServer registered = current.register(server, timeout);
            requireKnownWeights(current, server);
            requireStillActive(current, server.url());
            events.add(EventKind.SERVER, server.url() + " was added");
            return registered;
        } catch (RuntimeException e) {
            if (!known) {
                roster.remove(server.url());
            }
            throw e;
        }
    }

    /** Engines of ours say by themselves which weights they have; a server that was named by its URL is asked. */
    private ServerEndpoint withWeights(ServerEndpoint server) {
        return server.weightVersion() != null
                ? server
                : server.withWeightVersion(weights.apply(server).orElse(null));
    }

    /** A server that was not up before the router waited for it can be asked only now. */
    private void requireKnownWeights(RouterApi current, ServerEndpoint server) {
        ServerEndpoint known = withWeights(server);
        if (!known.equals(server) && roster.active(server.url()).isPresent()) {
            try {
                roster.add(known);
            } catch (WorkerFailure e) {
                roster.suspend(server.url());
                current.unregister(server.url(), SHORT);
                throw e;
            }
        }
    }

    /** Registering takes a while, in which an engine may die or its fleet get other weights: too early for the router. */
    private void requireStillActive(RouterApi current, String url) {
        if (roster.active(url).isEmpty()) {
            current.unregister(url, SHORT);
            throw new WorkerFailure(
                    url
                            + " is not to get requests any more: meanwhile it went out of order, or the fleet got other weights");
        }
    }

    /** Somebody takes a server away. */
    boolean unregister(String url) {
        boolean had = api().unregister(url, UNREGISTER);
        roster.remove(url);
        events.add(EventKind.SERVER, url + " was taken away");
        return had;
    }

    List<RegisteredServer> servers() {
        return api().servers(SHORT);
    }

    /** A server is out of order; whether it is one of ours. */
    boolean suspend(String url, String why) {
        boolean was = roster.active(url).isPresent();
        boolean member = roster.suspend(url);
        if (was) {
            events.add(EventKind.SERVER, url + " gets no requests: " + why);
        }
        RouterApi current = api;
        if (member && current != null) {
            current.unregister(url, SHORT);
        }
        return member;
    }

    /** A server works again; whether it is one of ours. */
    boolean resume(String oldUrl, ServerEndpoint endpoint) {
        boolean member = roster.resume(oldUrl, endpoint);
        RouterApi current = api;
        if (member && current != null) {
            current.register(endpoint, RESUME);
            requireStillActive(current, endpoint.url());
            events.add(EventKind.SERVER, endpoint.url() + " gets requests again");
        }
        return member;
    }

    /** The weights that the servers are to have. */
    FleetWeights weights() {
        return roster.weights();
    }

    /** From now on the servers are to have these weights; without mixing, those with others get no requests any more. */
    void commit(FleetWeights fresh, boolean mixing) {
        List<String> stale = roster.commit(fresh, mixing);
        events.add(
                EventKind.WEIGHTS,
                "the fleet has weights of "
                        + (fresh.updated() == null
                                ? "its start"
                                : fresh.updated().text()));
        RouterApi current = api;
        for (String url : stale) {
            events.add(EventKind.SERVER, url + " gets no requests: it has other weights");
            if (current != null) {
                current.unregister(url, SHORT);
            }
        }
    }

    /** The new router gets the active servers; those that it does not take are tried again later. */
    @Override
    public void publish(String url) {
        RouterApi fresh = dial.apply(url);
        api = fresh;
        Set<String> listed = new HashSet<>();
        for (RegisteredServer server : fresh.servers(SHORT)) {
            if (roster.suspended().contains(server.url())) {
                fresh.unregister(server.url(), SHORT);
            } else if (server.healthy()) {
                listed.add(server.url());
            }
        }
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (ServerEndpoint server : roster.active()) {
            if (!listed.contains(server.url())) {
                all.add(CompletableFuture.runAsync(() -> again(fresh, server.url()), registers));
            }
        }
        try {
            CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new)).get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            while (cause instanceof CompletionException && cause.getCause() != null) {
                cause = cause.getCause();
            }
            throw new WorkerFailure("not all servers could be registered again: "
                    + (cause == null ? e.getMessage() : cause.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("registering the servers again was interrupted");
        }
    }

    private void again(RouterApi fresh, String url) {
        // It may have been suspended since.
        roster.active(url).ifPresent(server -> {
            fresh.register(completed.apply(server), AGAIN);
            if (roster.active(url).isEmpty()) {
                fresh.unregister(url, SHORT);
            } else {
                events.add(EventKind.SERVER, url + " is known to the new router");
            }
        });
    }

    @Override
    public void withdraw() {
        // A router that does not run sends nothing.
        api = null;
    }

    @Override
    public void probe(String url) {
        probe.require(url);
    }

    void close() {
        registers.shutdownNow();
        roster.delete();
    }
}
