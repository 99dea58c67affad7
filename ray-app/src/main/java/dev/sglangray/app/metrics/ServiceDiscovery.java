/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What Prometheus is to scrape of a fleet, in the format of its HTTP service discovery. Immutable.
 *
 * @param fleet the label of all targets
 * @param own host and port of the fleet's own metrics
 * @param router the fleet's router, or null
 */
record ServiceDiscovery(String fleet, String own, @Nullable RouterPlan router) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ROUTER_PORT = "prometheus_port";
    /** Their processes are gone for good, or nothing is known of them. */
    private static final Set<String> OUT = Set.of("NEW", "FAILED", "STOPPED", WorkerStatus.GONE);

    /**
     * A target with its labels.
     *
     * @param targets host and port
     * @param labels by name
     */
    record Target(List<String> targets, Map<String, String> labels) {}

    /** The targets of a look as JSON. */
    String json(FleetLook look) {
        try {
            return JSON.writeValueAsString(targets(look));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("targets are not JSON", e);
        }
    }

    List<Target> targets(FleetLook look) {
        List<Target> targets = new ArrayList<>();
        targets.add(new Target(List.of(own), labels("owner", "", "", "", "")));
        RouterPlan plan = router;
        if (plan != null && look.router() != null) {
            WorkerStatus status = look.router().status();
            // A port that is chosen when the router starts is not known here.
            Object port = status == null
                    ? null
                    : status.service()
                            .changes()
                            .getOrDefault(ROUTER_PORT, plan.routerArgs().get(ROUTER_PORT));
            if (status != null && port != null && !OUT.contains(status.state())) {
                String node = status.process().nodeIp();
                targets.add(new Target(List.of(address(node, port)), labels("router", "", "0", node, "")));
            }
        }
        look.engines().forEach(engine -> engine(engine, targets));
        return targets;
    }

    private void engine(Engine engine, List<Target> targets) {
        WorkerStatus status = engine.worker().status();
        boolean metrics = "true"
                .equalsIgnoreCase(String.valueOf(engine.plan().serverArgs().get("enable_metrics")));
        if (!metrics || status == null || status.url() == null || OUT.contains(status.state())) {
            return;
        }
        URI url = URI.create(status.url());
        Map<String, String> labels = labels(
                status.identity().workerType(),
                engine.plan().pool(),
                String.valueOf(engine.plan().rank()),
                status.process().nodeIp(),
                status.identity().model());
        if ("https".equals(url.getScheme())) {
            labels.put("__scheme__", "https");
        }
        targets.add(new Target(List.of(url.getAuthority()), labels));
    }

    private Map<String, String> labels(String role, String pool, String rank, String node, String model) {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put("fleet", fleet);
        labels.put("role", role);
        labels.put("pool", pool);
        labels.put("rank", rank);
        labels.put("node", node);
        labels.put("model", model);
        // Prometheus takes an empty label for none.
        labels.values().removeIf(String::isEmpty);
        return labels;
    }

    /** Host and port as in a URL. */
    static String address(String host, Object port) {
        return WorkerNode.bracketed(host) + ":" + port;
    }
}
