/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.PortLease;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.ServerUrl;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/**
 * One router from start to end, without Ray. As RLinf's router worker: it starts without servers, honours a chosen port
 * and host, and is ready when {@code /health} answers 200. It sees no accelerator. Safe for use by many threads.
 */
public final class RouterProcess implements ServerProcess {
    private final RouterSpec spec;
    private final ProcessFactory kit;
    private final Incarnation incarnation;
    private final HttpServerProcess child;

    public RouterProcess(RouterSpec spec, ProcessFactory kit, OkHttpClient http) {
        this(spec, kit, http, Incarnation.FIRST);
    }

    public RouterProcess(RouterSpec spec, ProcessFactory kit, OkHttpClient http, Incarnation incarnation) {
        this.spec = spec;
        this.incarnation = incarnation;
        this.kit = kit;
        this.child = new HttpServerProcess(
                "router",
                kit.node(),
                new HealthProbe(http),
                SecretRedactor.of(spec.routerArgs(), spec.environment()),
                Duration.ofMillis((long) (spec.startTimeoutSeconds() * 1000)),
                this::plan,
                ProcessStarter.PROGRAM);
    }

    private StartAttempt plan(int number) {
        List<PortLease> leases = new ArrayList<>();
        boolean planned = false;
        try {
            Map<String, Object> arguments = new LinkedHashMap<>(spec.routerArgs());
            boolean chosen = arguments.get("port") == null && incarnation.port() == null;
            // The users of a fleet have the router's URL and nothing else, so a successor must have the same.
            PortLease http = kit.port(arguments, "port", incarnation.port(), true);
            leases.add(http);
            // The default is the same for all, so that a node's second router would not start.
            PortLease prometheus = kit.port(arguments, "prometheus_port");
            leases.add(prometheus);
            if (arguments.get("host") == null) {
                arguments.put("host", kit.node().defaultBindHost());
            }
            arguments.put("port", http.port());
            arguments.put("prometheus_port", prometheus.port());
            StartAttempt attempt = new StartAttempt(
                    leases,
                    http.port(),
                    ServerUrl.of(kit.node().advertisedHost(String.valueOf(arguments.get("host"))), http.port()),
                    process(arguments, number),
                    chosen);
            planned = true;
            return attempt;
        } finally {
            if (!planned) {
                leases.forEach(PortLease::close);
            }
        }
    }

    private ProcessSpec process(Map<String, Object> arguments, int number) {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("kind", "router");
        Map<String, Object> forRouter = new LinkedHashMap<>(arguments);
        forRouter.put("host", WorkerNode.socketHost(String.valueOf(arguments.get("host"))));
        request.put("router_args", forRouter);
        return kit.serve(
                WorkerNames.actor(spec.groupName(), 0),
                kit.interpreter(spec.pythonInterpreter(), spec.environment()),
                request,
                kit.environment(spec.environment()).noDevices(),
                kit.logFile(spec.logDirectory(), "router", spec.groupName(), 0, incarnation.suffix(number)));
    }

    @Override
    public String start() {
        return child.start();
    }

    @Override
    public String url() {
        return child.url();
    }

    @Override
    public boolean isHealthy() {
        return child.isHealthy();
    }

    @Override
    public String logTail(int lines) {
        return child.logTail(lines);
    }

    /** With RLinf's 10 s. */
    void shutdown() {
        shutdown(ProcessSpec.DEFAULT_GRACE);
    }

    @Override
    public void shutdown(Duration grace) {
        child.shutdown(grace);
    }

    @Override
    public void listen(ExitListener listener) {
        child.listen(listener);
    }

    @Override
    public WorkerStatus status() {
        return WorkerStatuses.of("router", spec.groupName(), 0, 1, kit.node(), List.of(), child.snapshot());
    }

    /** The key that guards the router of a specification, or null. */
    public static @Nullable String apiKey(RouterSpec spec) {
        Object key = spec.routerArgs().get("api_key");
        return key == null ? null : key.toString();
    }
}
