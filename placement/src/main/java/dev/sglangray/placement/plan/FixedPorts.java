/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.placement.cluster.NodeInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The ports that the arguments of engines and router fix. Engines of one pool have the same arguments, so that two of them on one
 * node would listen at one port, and the second fails after it has taken its accelerators. Stateless.
 */
public final class FixedPorts {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BOOTSTRAP = "disaggregation_bootstrap_port";
    private static final String EMBODIED = "embodied";
    /** Chosen when the engine starts, or a port of another server, or used only by modes that are refused. */
    private static final Set<String> NOT_BOUND = Set.of(
            "port",
            "master_port",
            "remote_instance_weight_loader_seed_instance_service_port",
            "grpc_http_sidecar_port",
            "smg_http_sidecar_port");

    private static final List<String> ROUTER = List.of("port", "prometheus_port", "health_check_port");
    private static final Pattern TCP = Pattern.compile("tcp://(.*):(\\d{1,5})");
    private static final Set<String> ANY_HOST = Set.of("*", "0.0.0.0", "::", "[::]");
    private static final int MOST = 65_535;

    private FixedPorts() {}

    /**
     * One port that two processes of a node would listen at.
     *
     * @param ofRouter whether the argument is the router's
     * @param key the argument's name
     * @param message which processes and which node, as the end of a sentence about the argument
     * @param fix what to do about it
     */
    public record Clash(boolean ofRouter, String key, String message, String fix) {}

    private record Owner(String name, boolean router, String key) {}

    /** The first port that two processes of a plan would have on one node, or one process twice. */
    public static Optional<Clash> clash(FleetPlan plan) {
        Map<String, Map<Integer, Owner>> taken = new HashMap<>();
        if (plan.router().isPresent()) {
            RouterPlan router = plan.router().get();
            Optional<Clash> clash =
                    take(taken, router.node(), new Owner(router.actorName(), true, ""), ofRouter(router.routerArgs()));
            if (clash.isPresent()) {
                return clash;
            }
        }
        Map<Integer, String> ports = Map.of();
        EnginePlan before = null;
        for (EnginePlan engine : plan.engines()) {
            // The engines of a pool mostly share one map.
            if (before == null || engine.serverArgs() != before.serverArgs()) {
                ports = ofEngine(engine.serverType(), engine.serverArgs());
            }
            before = engine;
            String name = engine.groupName() + ":" + engine.rank();
            for (EnginePart part : engine.parts()) {
                Optional<Clash> clash = take(taken, part.node(), new Owner(name, false, ""), ports);
                if (clash.isPresent()) {
                    return clash;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<Clash> take(
            Map<String, Map<Integer, Owner>> taken, NodeInfo node, Owner process, Map<Integer, String> ports) {
        for (Map.Entry<Integer, String> port : ports.entrySet()) {
            String key = port.getValue();
            Owner owner = new Owner(process.name(), process.router(), key);
            Owner other =
                    taken.computeIfAbsent(node.ip(), ip -> new HashMap<>()).putIfAbsent(port.getKey(), owner);
            if (other != null) {
                String theirs = other.key().equals(key) && other.router() == owner.router()
                        ? ""
                        : ", which has it as " + (other.router() ? "router." : "server.") + other.key();
                return Optional.of(new Clash(
                        owner.router(),
                        key,
                        "%s and %s are both on node rank %d (%s), where one process only can listen at port %d%s"
                                .formatted(other.name(), owner.name(), node.rank(), node.ip(), port.getKey(), theirs),
                        fix(owner, other)));
            }
        }
        return Optional.empty();
    }

    private static String fix(Owner owner, Owner other) {
        if (other.router() || owner.router()) {
            return "give one of them another port, or leave the router's unset: a free one is then chosen";
        }
        if (!owner.key().equals(other.key())) {
            return "give one of them another port";
        }
        return owner.key().equals(BOOTSTRAP)
                ? "leave it unset: each engine then gets a port of its own"
                : "leave it unset, or place one engine on each node";
    }

    /** The ports that one engine listens at because its arguments say so, with the argument. */
    static Map<Integer, String> ofEngine(String serverType, Map<String, @Nullable Object> arguments) {
        Map<Integer, String> ports = new LinkedHashMap<>();
        arguments.forEach((key, value) -> {
            if (key.endsWith("_port") && isBound(serverType, key, arguments)) {
                number(value).ifPresent(port -> ports.putIfAbsent(port, key));
            } else if (key.endsWith("_bind_endpoint") && value != null) {
                tcp(value.toString(), false).ifPresent(port -> ports.putIfAbsent(port, key));
            }
        });
        events(arguments).forEach(port -> ports.putIfAbsent(port, "kv_events_config"));
        return ports;
    }

    /** As {@link #ofEngine}, of the router. */
    static Map<Integer, String> ofRouter(Map<String, @Nullable Object> arguments) {
        Map<Integer, String> ports = new LinkedHashMap<>();
        for (String key : ROUTER) {
            number(arguments.get(key)).ifPresent(port -> ports.putIfAbsent(port, key));
        }
        return ports;
    }

    /** Whether SGLang opens the port of an argument with these arguments beside it; one that is not known here counts. */
    private static boolean isBound(String serverType, String key, Map<String, @Nullable Object> arguments) {
        if (NOT_BOUND.contains(key)) {
            return false;
        }
        return switch (key) {
            case BOOTSTRAP -> {
                Object mode = arguments.get("disaggregation_mode");
                yield "prefill".equals(mode) || ("decode".equals(mode) && isOn(arguments, "enable_pd_role_switch"));
            }
            // Else the processes of an engine meet at an address that is chosen when it starts.
            case "nccl_port" ->
                !serverType.equals(EMBODIED)
                        && number(arguments.get("dp_size")).orElse(1) > 1
                        && !isOn(arguments, "enable_dp_attention");
            case "encoder_bootstrap_port" -> isOn(arguments, "language_only");
            case "engine_info_bootstrap_port" ->
                isOn(arguments, "remote_instance_weight_loader_start_seed_via_transfer_engine");
            // An embodied engine takes the next free one unless it must not.
            case "scheduler_port" -> isOn(arguments, "strict_ports");
            case "webui_port" -> isOn(arguments, "webui");
            default -> true;
        };
    }

    /** Where an engine publishes what is in its cache: at one port for each data-parallel rank. */
    private static List<Integer> events(Map<String, @Nullable Object> arguments) {
        List<Integer> ports = new ArrayList<>();
        if (!(arguments.get("kv_events_config") instanceof String text)) {
            return ports;
        }
        try {
            JsonNode config = JSON.readTree(text);
            if (!config.path("publisher").asText("null").equals("zmq")) {
                return ports;
            }
            int ranks = number(arguments.get("dp_size")).orElse(1);
            tcp(
                            config.path("endpoint").asText("tcp://*:5557"),
                            !config.path("bind").asBoolean(false))
                    .ifPresent(first -> addRange(ports, first, ranks));
            tcp(config.path("replay_endpoint").asText(""), false).ifPresent(first -> addRange(ports, first, ranks));
        } catch (JsonProcessingException e) {
            ports.clear(); // SGLang says what is wrong with it
        }
        return ports;
    }

    private static void addRange(List<Integer> ports, int first, int count) {
        for (int port = first; port < first + count && port <= MOST; port++) {
            ports.add(port);
        }
    }

    private static Optional<Integer> tcp(String endpoint, boolean onAnyHost) {
        Matcher parts = TCP.matcher(endpoint);
        if (!parts.matches() || (onAnyHost && !ANY_HOST.contains(parts.group(1)))) {
            return Optional.empty();
        }
        return number(parts.group(2));
    }

    private static Optional<Integer> number(@Nullable Object value) {
        int number = WholeNumber.of(value).orElse(0);
        return number > 0 && number <= MOST ? Optional.of(number) : Optional.empty();
    }

    private static boolean isOn(Map<String, @Nullable Object> arguments, String key) {
        return Boolean.TRUE.equals(arguments.get(key));
    }
}
