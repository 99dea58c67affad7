/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.workers.gang.PartFacts;
import dev.sglangray.workers.gang.PartLostException;
import dev.sglangray.workers.gang.PartPort;
import dev.sglangray.workers.gang.PartProcess;
import dev.sglangray.workers.gang.PartState;
import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.ray.ActorHandles;
import dev.sglangray.workers.ray.ObjectRefPoller;
import dev.sglangray.workers.ray.RemoteFailures;
import io.ray.api.ActorHandle;
import io.ray.api.ObjectRef;
import io.ray.api.exception.RayActorException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** The actor of a further part, which is looked up by its name each time, so that it may be another one. */
final class RayPartPort implements PartPort {
    /** From one look for an actor that is not there yet, or is being replaced, to the next. */
    private static final Duration LOOK = Duration.ofMillis(200);

    private static final Duration ANSWER = Duration.ofSeconds(30);
    /** A worker's JVM has to start, maybe from a jar that its node must fetch first. */
    private static final Duration LONGEST_OPEN = Duration.ofMinutes(15);

    private final String actor;
    private final int number;
    private final String node;
    private final ThreadLoop loop;

    RayPartPort(ServerSpec spec, int number, ThreadLoop loop) {
        this.actor = WorkerNames.part(spec.groupName(), spec.rank(), number);
        this.number = number;
        this.node = spec.furtherParts().get(number - 1).node();
        this.loop = loop;
    }

    @Override
    public int number() {
        return number;
    }

    @Override
    public String node() {
        return node;
    }

    private <T> CompletableFuture<T> call(
            Function<ActorHandle<SGLangPartWorker>, ObjectRef<T>> method, Duration timeout) {
        CompletableFuture<T> answer = loop.block(() -> {
                    Optional<ActorHandle<SGLangPartWorker>> found = ActorHandles.find(actor);
                    return method.apply(
                            found.orElseThrow(() -> new PartLostException("Ray has no actor '" + actor + "'")));
                })
                .thenCompose(call -> loop.here(ObjectRefPoller.shared().watch(call)))
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(described(failure)));
        return loop.within(timeout, answer, () -> new WorkerFailure("no answer within " + timeout.toSeconds() + " s"));
    }

    private static RuntimeException described(Throwable failure) {
        Throwable cause = EventLoop.unwrapped(failure);
        if (cause instanceof PartLostException lost) {
            return lost;
        }
        String reason = RemoteFailures.reason(failure);
        return cause instanceof RayActorException ? new PartLostException(reason) : new WorkerFailure(reason);
    }

    /** Waits for an actor that does not live yet, or that Ray is replacing. */
    @Override
    public CompletableFuture<PartFacts> open(ServerSpec spec, Duration patience, CompletableFuture<?> abort) {
        return open(ProtocolJson.write(spec), Deadline.in(patience), abort);
    }

    private CompletableFuture<PartFacts> open(String specJson, Deadline deadline, CompletableFuture<?> abort) {
        CompletableFuture<String> answer =
                call(worker -> worker.task(SGLangPartWorker::open, specJson).remote(), LONGEST_OPEN.plus(ANSWER));
        // Ray keeps a call to an actor whose node is gone, until there is another one.
        return loop.within(LONGEST_OPEN, answer, () -> new PartLostException("its actor does not start"))
                .thenApply(json -> ProtocolJson.read(json, PartFacts.class))
                .exceptionallyCompose(failure -> {
                    boolean mayCome = EventLoop.unwrapped(failure) instanceof PartLostException;
                    return mayCome && !abort.isDone() && !deadline.isOver()
                            ? loop.after(LOOK).thenCompose(nothing -> open(specJson, deadline, abort))
                            : CompletableFuture.failedFuture(failure);
                });
    }

    /** Why weights in a folder cannot be loaded on the part's node; empty when nothing speaks against it. */
    CompletableFuture<String> refusal(String modelPath, String path) {
        return call(
                worker ->
                        worker.task(SGLangPartWorker::refusal, modelPath, path).remote(),
                ANSWER);
    }

    @Override
    public CompletableFuture<Boolean> hold(String key, ServerSpec spec, Duration patience) {
        String json = ProtocolJson.write(spec);
        int seconds = Math.toIntExact(patience.toSeconds());
        return call(
                worker ->
                        worker.task(SGLangPartWorker::hold, key, json, seconds).remote(),
                patience.multipliedBy(2).plus(ANSWER));
    }

    @Override
    public CompletableFuture<Boolean> start(String key, ServerSpec spec, Incarnation incarnation) {
        String json = ProtocolJson.write(spec);
        String which = ProtocolJson.write(incarnation);
        return call(
                worker -> worker.task(SGLangPartWorker::start, key, json, which).remote(), ANSWER);
    }

    @Override
    public CompletableFuture<PartState> await(String key, PartState.Phase known) {
        String phase = known.name();
        return this.<String>call(
                        worker ->
                                worker.task(SGLangPartWorker::await, key, phase).remote(),
                        PartProcess.SLICE.plus(ANSWER))
                .thenApply(json -> ProtocolJson.read(json, PartState.class));
    }

    @Override
    public CompletableFuture<Boolean> end(String key, Duration grace, boolean absolve) {
        int seconds = Math.toIntExact(grace.toSeconds());
        return call(
                worker -> worker.task(SGLangPartWorker::end, key, seconds, absolve)
                        .remote(),
                grace.plus(ANSWER));
    }

    @Override
    public CompletableFuture<String> logTail(int lines) {
        return call(worker -> worker.task(SGLangPartWorker::logTail, lines).remote(), ANSWER);
    }

    @Override
    public CompletableFuture<Boolean> shutdown() {
        return call(worker -> worker.task(SGLangPartWorker::shutdown).remote(), ANSWER);
    }
}
