/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.workers.gang.PartFacts;
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
                    return method.apply(found.orElseThrow(() -> new WorkerFailure("Ray has no actor '" + actor + "'")));
                })
                .thenCompose(call -> loop.here(ObjectRefPoller.shared().watch(call)))
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(
                        EventLoop.unwrapped(failure) instanceof RayActorException gone
                                ? gone
                                : new WorkerFailure(RemoteFailures.reason(failure))));
        return loop.within(timeout, answer, () -> new WorkerFailure("no answer within " + timeout.toSeconds() + " s"));
    }

    /** Waits for an actor that does not live yet, or that Ray is replacing, as long as the engine may take to start. */
    @Override
    public CompletableFuture<PartFacts> open(ServerSpec spec) {
        return open(ProtocolJson.write(spec), Deadline.in(spec.healthTimeout()));
    }

    private CompletableFuture<PartFacts> open(String specJson, Deadline deadline) {
        return this.<String>call(
                        worker -> worker.task(SGLangPartWorker::open, specJson).remote(), deadline.left())
                .thenApply(json -> ProtocolJson.read(json, PartFacts.class))
                .exceptionallyCompose(failure -> {
                    if (deadline.isOver()) {
                        return CompletableFuture.failedFuture(failure);
                    }
                    CompletableFuture<PartFacts> later = new CompletableFuture<>();
                    loop.schedule(LOOK, () -> {
                        CompletableFuture<PartFacts> unused = open(specJson, deadline)
                                .whenComplete((facts, again) -> {
                                    if (again == null) {
                                        later.complete(facts);
                                    } else {
                                        later.completeExceptionally(again);
                                    }
                                });
                    });
                    return later;
                });
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
    public CompletableFuture<Boolean> release(String key) {
        return call(worker -> worker.task(SGLangPartWorker::release, key).remote(), ANSWER);
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
    public CompletableFuture<Boolean> end(String key, Duration grace) {
        int seconds = Math.toIntExact(grace.toSeconds());
        return call(worker -> worker.task(SGLangPartWorker::end, key, seconds).remote(), grace.plus(ANSWER));
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
