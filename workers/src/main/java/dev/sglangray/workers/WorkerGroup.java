/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.ray.ActorHandles;
import dev.sglangray.workers.ray.ObjectRefPoller;
import dev.sglangray.workers.supervision.Event;
import io.ray.api.ActorHandle;
import io.ray.api.BaseActorHandle;
import io.ray.api.ObjectRef;
import io.ray.api.Ray;
import io.ray.api.exception.RayActorException;
import io.ray.api.function.RayFunc1;
import io.ray.api.function.RayFunc2;
import io.ray.api.function.RayFunc3;
import io.ray.api.function.RayFunc4;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The workers of one kind, addressed together. Holds their actor handles, because Ray ends an actor whose last handle is
 * collected. Safe for use by many threads.
 *
 * @param <A> the actor's class
 */
public abstract sealed class WorkerGroup<A> implements AutoCloseable permits ServerGroup, RouterGroup {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerGroup.class);

    /**
     * One worker of a group.
     *
     * @param parts the actors of the further parts of an engine that spans nodes; empty for all others
     * @param found whether this group only found the worker, so that it does not know of further parts
     */
    record Member<A>(int rank, String node, ActorHandle<A> handle, List<BaseActorHandle> parts, boolean found) {
        Member {
            parts = List.copyOf(parts);
        }

        /** One that was found by its name. */
        Member(int rank, ActorHandle<A> handle) {
            this(rank, "", handle, List.of(), true);
        }

        /** All of its actors; that of part 0 is the last, so that the others never stay behind without it. */
        List<BaseActorHandle> handles() {
            List<BaseActorHandle> all = new ArrayList<>(parts);
            all.add(handle);
            return all;
        }
    }

    /** Whether closing ends the workers. */
    enum Ownership {
        /** This group started them. */
        OWNER,
        /** Another program did, or a larger group of ours. */
        GUEST
    }

    /** Orderly shutdowns take no longer; then the actors are killed. */
    private static final Duration CLOSE = Duration.ofSeconds(30);

    private final String name;
    private final List<Member<A>> members;
    private final Map<Integer, Member<A>> byRank = new HashMap<>();
    private final Ownership ownership;
    private final AtomicBoolean closed = new AtomicBoolean();

    WorkerGroup(String name, List<Member<A>> members, Ownership ownership) {
        this.name = name;
        this.members = List.copyOf(members);
        this.members.forEach(member -> byRank.put(member.rank(), member));
        this.ownership = ownership;
    }

    /** The group's name; its actors are {@code <name>:<rank>}. */
    public String name() {
        return name;
    }

    /** How many workers this group, or this view of it, has. */
    public int size() {
        return members.size();
    }

    /** The ranks, in order. */
    public List<Integer> ranks() {
        return members.stream().map(Member::rank).toList();
    }

    /** What every worker says about itself. */
    public abstract WorkerGroupFuture<WorkerStatus> status();

    /** Whether every worker's process runs and answers {@code /health}. */
    public abstract WorkerGroupFuture<Boolean> isHealthy();

    /** The last lines of every process's log, at most so many, as one text each. */
    public abstract WorkerGroupFuture<String> logTail(int lines);

    /**
     * A piece of every process's log, without secrets.
     *
     * @param from where an earlier piece ended, of the same worker; null for the last lines
     * @param lines how many of the last lines
     */
    public abstract WorkerGroupFuture<LogTail.Piece> logPiece(LogTail.@Nullable Position from, int lines);

    static String json(LogTail.@Nullable Position position) {
        return position == null ? "" : ProtocolJson.write(position);
    }

    /** The last events of every worker, oldest first, from a number on; each counts its own from 0. */
    public abstract WorkerGroupFuture<List<Event>> events(long from);

    /**
     * Replaces every worker's process by a new one in its place, all at the same time.
     *
     * @param why for the log
     * @return each one's URL, once the new process serves and the router knows it
     */
    public abstract WorkerGroupFuture<String> restart(String why, Duration timeout);

    /** Ends every worker's process; the actors stay. Harmless when repeated; aborts a start that is under way. */
    public abstract WorkerGroupFuture<Boolean> shutdown();

    /** Whether Ray knows an actor for every worker, be it that it is replaced at the moment; false once one is gone for good. */
    public boolean isNamed() {
        return members.stream()
                .allMatch(member -> ActorHandles.find(WorkerNames.actor(name, member.rank()))
                        .isPresent());
    }

    List<Member<A>> membersOn(int... ranks) {
        return Arrays.stream(ranks)
                .mapToObj(rank -> Optional.ofNullable(byRank.get(rank))
                        .orElseThrow(() -> new IllegalArgumentException(
                                "Group " + name + " has no rank " + rank + "; it has " + ranks())))
                .toList();
    }

    private <T> WorkerGroupFuture<T> each(String method, Function<ActorHandle<A>, ObjectRef<T>> remote) {
        List<CompletableFuture<T>> answers = new ArrayList<>();
        for (Member<A> member : members) {
            answers.add(callOne(member, method, remote));
        }
        return new WorkerGroupFuture<>(name, method, ranks(), answers);
    }

    <T> WorkerGroupFuture<T> call(String method, RayFunc1<A, T> remote) {
        return each(method, handle -> handle.task(remote).remote());
    }

    <P, T> WorkerGroupFuture<T> call(String method, RayFunc2<A, P, T> remote, P first) {
        return each(method, handle -> handle.task(remote, first).remote());
    }

    <P, Q, T> WorkerGroupFuture<T> call(String method, RayFunc3<A, P, Q, T> remote, P first, Q second) {
        return each(method, handle -> handle.task(remote, first, second).remote());
    }

    <P, Q, R, T> WorkerGroupFuture<T> call(String method, RayFunc4<A, P, Q, R, T> remote, P first, Q second, R third) {
        return each(method, handle -> handle.task(remote, first, second, third).remote());
    }

    /** As actors take times: whole seconds, 1 at least. */
    static int seconds(Duration time) {
        return Math.toIntExact(Math.max(1, time.toSeconds()));
    }

    /** Reads an answer that is JSON. */
    static <T> Function<String, T> read(Class<T> type) {
        return json -> ProtocolJson.read(json, type);
    }

    /** As {@link #read}, of a JSON list. */
    static <T> Function<String, List<T>> readAll(Class<T[]> type) {
        return json -> List.of(ProtocolJson.read(json, type));
    }

    /** Asks each worker to end its process. A worker that its owner ends for good meanwhile has none any more. */
    WorkerGroupFuture<Boolean> end(RayFunc1<A, Boolean> remote) {
        List<CompletableFuture<Boolean>> answers = new ArrayList<>();
        for (Member<A> member : members) {
            // Not on the thread that waits for all answers: to look for an actor blocks.
            answers.add(
                    callOne(member, "shutdown", handle -> handle.task(remote).remote())
                            .exceptionallyComposeAsync(failure -> isGone(member, failure)
                                    ? CompletableFuture.completedFuture(true)
                                    : CompletableFuture.failedFuture(failure)));
        }
        return new WorkerGroupFuture<>(name, "shutdown", ranks(), answers);
    }

    private boolean isGone(Member<A> member, Throwable failure) {
        return EventLoop.unwrapped(failure) instanceof WorkerException worker
                && worker.getCause() instanceof RayActorException
                && ActorHandles.find(WorkerNames.actor(name, member.rank())).isEmpty();
    }

    private <T> CompletableFuture<T> callOne(
            Member<A> member, String method, Function<ActorHandle<A>, ObjectRef<T>> remote) {
        return callOne(member.rank(), member.node(), member.handle(), method, remote);
    }

    private <B, T> CompletableFuture<T> callOne(
            int rank,
            String node,
            ActorHandle<B> handle,
            String method,
            Function<ActorHandle<B>, ObjectRef<T>> remote) {
        CompletableFuture<T> answer;
        try {
            answer = ObjectRefPoller.shared().watch(remote.apply(handle));
        } catch (RuntimeException e) {
            answer = CompletableFuture.failedFuture(e);
        }
        return answer.exceptionallyCompose(
                failure -> CompletableFuture.failedFuture(WorkerException.of(name, rank, node, method, failure)));
    }

    /** Calls another actor of a rank than its first. */
    <B, T> WorkerGroupFuture<T> callOn(
            int rank, ActorHandle<B> actor, String method, Function<ActorHandle<B>, ObjectRef<T>> remote) {
        return new WorkerGroupFuture<>(name, method, List.of(rank), List.of(callOne(rank, "", actor, method, remote)));
    }

    /**
     * Ends the workers that this group started: orderly first, then the actors are killed. A group that was attached to,
     * and a view, only let go. Harmless when repeated. An interrupt skips the orderly part and is restored.
     */
    @Override
    public void close() {
        if (ownership == Ownership.OWNER) {
            destroy();
        }
    }

    /** Ends the workers, also those that another program started, as {@link #close()} does for the owner. */
    public void destroy() {
        if (!closed.compareAndSet(false, true) || !Ray.isInitialized()) {
            return;
        }
        CompletableFuture<?>[] ends =
                members.stream().map(this::shutdownQuietly).toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(ends).get(CLOSE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn("Not all workers of {} shut down within {} s; killing them", name, CLOSE.toSeconds());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("These futures never fail.", e);
        } finally {
            kill();
        }
    }

    private CompletableFuture<Boolean> shutdownQuietly(Member<A> member) {
        return on(member).shutdown().toCompletableFuture().handle((done, failure) -> {
            if (failure != null) {
                LOG.debug("Shutting down {} rank {}: {}", name, member.rank(), failure.toString());
            }
            return failure == null;
        });
    }

    abstract WorkerGroup<A> on(Member<A> member);

    void kill() {
        for (Member<A> member : members) {
            List<BaseActorHandle> handles = member.handles();
            if (member.found()) {
                handles = new ArrayList<>(furtherParts(member));
                handles.add(member.handle());
            }
            for (BaseActorHandle handle : handles) {
                try {
                    handle.kill(true);
                } catch (RuntimeException e) {
                    LOG.debug("Killing {} rank {}: {}", name, member.rank(), e.toString());
                }
            }
        }
    }

    /** Actors of the further parts of a worker's engine that the member does not know. */
    List<BaseActorHandle> furtherParts(Member<A> member) {
        return List.of();
    }

    List<Member<A>> members() {
        return members;
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + "[" + name + " " + ranks() + "]";
    }
}
