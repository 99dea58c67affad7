/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.time.Duration;
import java.util.function.Function;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/**
 * The Ray actor that owns the router, a thin shell around the lifecycle and the router's control API. RLinf's class of the
 * same name. Servers are registered side by side; questions and the shutdown are answered meanwhile.
 *
 * <p>All methods throw {@link WorkerFailure} with a text for people.
 */
public class SGLangRouterWorker {
    private static final Duration LIST_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration UNREGISTER_TIMEOUT = Duration.ofMinutes(1);

    private final OkHttpClient http = WorkerHttp.create();
    private final RouterLifecycle router;
    private final Secrets secrets;
    private volatile @Nullable RouterApi api;

    /**
     * Called by Ray.
     *
     * @param specJson a {@link RouterSpec} as JSON
     */
    public SGLangRouterWorker(String specJson) {
        RouterSpec spec = Json.read(specJson, RouterSpec.class);
        secrets = Secrets.of(spec.routerArgs(), spec.environment());
        router = new RouterLifecycle(spec, ChildKit.of(RayNode.current()), http);
    }

    /** Starts the router without servers; returns its URL when it is healthy. */
    public String initRouter() {
        String url = router.start();
        api = new WorkersRouterApi(url, router.apiKey(), http);
        return url;
    }

    /** The router's URL. */
    public String getRouterUrl() {
        return router.url();
    }

    /**
     * Adds a server; returns a {@link RegisteredServer} as JSON when the router sends requests to it.
     *
     * @param bootstrapPort a prefill server's bootstrap port, else 0
     */
    public String registerServer(String url, String workerType, int bootstrapPort) {
        return register(new ServerEndpoint(url, workerType, bootstrapPort == 0 ? null : bootstrapPort, null));
    }

    /** As {@link #registerServer} for a {@link ServerEndpoint} as JSON. */
    public String registerEndpoint(String endpointJson) {
        return register(Json.read(endpointJson, ServerEndpoint.class));
    }

    private String register(ServerEndpoint server) {
        return Json.write(control(a -> a.register(server, RouterApi.DEFAULT_REGISTRATION_TIMEOUT)));
    }

    /** Takes a server away; false when the router does not have it. */
    public boolean unregisterServer(String url) {
        return control(a -> a.unregister(url, UNREGISTER_TIMEOUT));
    }

    /** A list of {@link RegisteredServer} as JSON. */
    public String servers() {
        return Json.write(control(a -> a.servers(LIST_TIMEOUT)));
    }

    private <T> T control(Function<RouterApi, T> request) {
        RouterApi current = api;
        if (current == null) {
            throw new WorkerFailure("the router was not started");
        }
        try {
            return request.apply(current);
        } catch (RouterApiException e) {
            throw new WorkerFailure(secrets.hide(String.valueOf(e.getMessage())));
        }
    }

    /** Whether the router runs and answers. */
    public boolean isHealthy() {
        return router.isHealthy();
    }

    /** A {@link WorkerStatus} as JSON. */
    public String status() {
        return Json.write(router.status());
    }

    /** The last lines of the router's log. */
    public String logTail(int lines) {
        return router.logTail(lines);
    }

    /** Ends the router; true when all of it is gone. Aborts a start that is under way. */
    public boolean shutdown() {
        router.shutdown();
        return true;
    }
}
