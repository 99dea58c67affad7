/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.ActorHandle;
import io.ray.api.ObjectRef;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** The router's actor, looked up by name each time, so that it may be another one. Safe for use by many threads. */
final class RayRouterLink implements RouterLink {
    private static final Duration SUSPEND = Duration.ofSeconds(20);
    private static final Duration RESUME = Duration.ofMinutes(2);

    private final String group;

    RayRouterLink(String group) {
        this.group = group;
    }

    @Override
    public void suspend(String url) {
        var unused = call(
                SUSPEND,
                router -> router.task(SGLangRouterWorker::suspendServer, url).remote());
    }

    @Override
    public void resume(String oldUrl, ServerEndpoint endpoint) {
        String json = Json.write(endpoint);
        var unused = call(
                RESUME,
                router -> router.task(SGLangRouterWorker::resumeServer, oldUrl, json)
                        .remote());
    }

    @Override
    public Optional<FleetWeights> weights() {
        return call(
                        SUSPEND,
                        router -> router.task(SGLangRouterWorker::fleetWeights).remote())
                .map(json -> Json.read(json, FleetWeights.class));
    }

    /** Empty when the router was ended for good, so that there is nobody to tell. */
    private <T> Optional<T> call(Duration longest, Function<ActorHandle<SGLangRouterWorker>, ObjectRef<T>> method) {
        Optional<ActorHandle<SGLangRouterWorker>> router = Ray.getActor(WorkerNames.actor(group, 0));
        if (router.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(RefWaiter.shared()
                    .watch(method.apply(router.get()))
                    .get(longest.toMillis(), TimeUnit.MILLISECONDS));
        } catch (ExecutionException e) {
            throw new WorkerFailure(String.valueOf(
                    RemoteFailures.translate(group, 0, "", "router", e.getCause() == null ? e : e.getCause())
                            .getMessage()));
        } catch (TimeoutException e) {
            throw new WorkerFailure(
                    "the router worker of '" + group + "' did not answer within " + longest.toSeconds() + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the call of the router worker was interrupted");
        }
    }
}
