/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.PortLease;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.ServerUrl;
import dev.sglangray.workers.protocol.WorkerNames;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a router is started, as by RLinf's router worker: without servers, at a chosen port and host where the arguments name them.
 * It sees no accelerator. Immutable.
 */
final class RouterPlanner implements ServerPlanner {
    private final RouterSpec spec;
    private final ProcessFactory kit;
    private final Incarnation incarnation;

    RouterPlanner(RouterSpec spec, ProcessFactory kit, Incarnation incarnation) {
        this.spec = spec;
        this.kit = kit;
        this.incarnation = incarnation;
    }

    @Override
    public String what() {
        return "router";
    }

    @Override
    public Duration deadline() {
        return Duration.ofMillis((long) (spec.startTimeoutSeconds() * 1000));
    }

    @Override
    public SecretRedactor secrets() {
        return spec.secrets();
    }

    @Override
    public StartAttempt plan(int number) {
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
                    chosen,
                    null);
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
        if (spec.routerType() != null) {
            request.put("router_type", spec.routerType());
        }
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
}
