/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.workers.engine.RegistryPort;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.ray.ActorHandles;
import dev.sglangray.workers.ray.ObjectRefPoller;
import dev.sglangray.workers.ray.RemoteFailures;
import io.ray.api.ActorHandle;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The registry in the router worker's actor, which is looked up by its name each time, so that it may be another one. */
final class RayRegistryPort implements RegistryPort {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final String group;
    private final ThreadLoop loop;

    RayRegistryPort(String group, ThreadLoop loop) {
        this.group = group;
        this.loop = loop;
    }

    /** For engines without a router. */
    static RegistryPort none() {
        return report -> CompletableFuture.completedFuture(Optional.empty());
    }

    @Override
    public CompletableFuture<Optional<ReportReply>> report(EngineReport report) {
        String json = ProtocolJson.write(report);
        CompletableFuture<Optional<ReportReply>> answer = loop.block(() -> ask(json))
                .thenCompose(asked -> asked.isEmpty()
                        ? CompletableFuture.completedFuture(Optional.empty())
                        : loop.here(asked.get())
                                .thenApply(text -> Optional.of(ProtocolJson.read(text, ReportReply.class))));
        return loop.within(
                PATIENCE,
                answer,
                () -> new WorkerFailure("no reply from router worker '" + WorkerNames.actor(group, 0) + "' within "
                        + PATIENCE.toSeconds() + " s"));
    }

    private Optional<CompletableFuture<String>> ask(String json) {
        Optional<ActorHandle<SGLangRouterWorker>> router = ActorHandles.find(WorkerNames.actor(group, 0));
        return router.map(actor -> ObjectRefPoller.shared()
                .watch(actor.task(SGLangRouterWorker::reportEngine, json).remote())
                .handle((reply, failure) -> {
                    if (failure != null) {
                        throw new WorkerFailure("router worker '" + WorkerNames.actor(group, 0) + "': "
                                + RemoteFailures.reason(failure));
                    }
                    return reply;
                }));
    }
}
