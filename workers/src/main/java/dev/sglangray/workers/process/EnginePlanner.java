/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.EnvironmentBuilder;
import dev.sglangray.bridge.PortLease;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.bridge.PythonProbe;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.workers.protocol.ServerUrl;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How an SGLang engine is started, as by RLinf's server worker: it binds all interfaces, advertises the node's address, and its
 * ports are chosen where they are unset. It starts when no other engine is being started on its accelerators.
 */
final class EnginePlanner implements ServerPlanner {
    private static final Logger LOG = LoggerFactory.getLogger(EnginePlanner.class);

    private static final String PREFILL = "prefill";
    private static final String BOOTSTRAP = "disaggregation_bootstrap_port";
    private static final String DEVICE_VARIABLE = "SGLANG_RAY_DEVICE";
    /**
     * SGLang derives these from the port of the meeting, and with its server in Rust one more for each data-parallel rank: see
     * {@code PortArgs} in its {@code server_args.py}. A handshake of prefill engines is 13 ports above.
     */
    private static final int DERIVED_PORTS = 14;

    /** As SGLang reads its variables. */
    private static final Set<String> TRUE = Set.of("true", "1", "yes", "y");

    private final ServerSpec spec;
    private final ProcessFactory kit;
    private final Incarnation incarnation;
    private volatile @Nullable String waiting;

    EnginePlanner(ServerSpec spec, ProcessFactory kit, Incarnation incarnation) {
        this.spec = spec;
        this.kit = kit;
        this.incarnation = incarnation;
    }

    @Override
    public String what() {
        return "engine";
    }

    @Override
    public Duration deadline() {
        return spec.healthTimeout();
    }

    @Override
    public SecretRedactor secrets() {
        return spec.secrets();
    }

    @Override
    public Runnable awaitTurn(CompletableFuture<?> abort) {
        if (spec.spansNodes()) {
            return () -> {}; // all parts have their turn before any of them starts
        }
        return kit.devices().acquire(devices(), spec.actorName(), deadline(), abort, this::waits)::close;
    }

    @Override
    public boolean startsAlone() {
        return !spec.spansNodes();
    }

    @Override
    public StartAttempt plan(int number) {
        List<PortLease> leases = new ArrayList<>();
        boolean planned = false;
        try {
            Map<String, Object> arguments = new LinkedHashMap<>(spec.serverArgs());
            PortLease http = kit.port(arguments, "port", number == 0 ? incarnation.port() : null, false);
            leases.add(http);
            int dist = planMeeting(leases);
            boolean chosen = arguments.get("port") == null;
            if (arguments.get("host") == null) {
                arguments.put("host", bindHost());
            }
            arguments.put("port", http.port());
            NetworkDevices.renumber(arguments, devices());
            Integer bootstrapPort = planBootstrap(arguments, leases, http.port());
            StartAttempt attempt = new StartAttempt(
                    leases,
                    http.port(),
                    ServerUrl.of(advertisedHost(String.valueOf(arguments.get("host"))), http.port()),
                    process(arguments, dist, number),
                    chosen,
                    bootstrapPort);
            LOG.info("Starting engine {} on port {}, devices {}", spec.actorName(), http.port(), devices());
            planned = true;
            return attempt;
        } finally {
            if (!planned) {
                leases.forEach(PortLease::close);
            }
        }
    }

    /** All addresses of the node; of both versions where others come by one of version 6. */
    private String bindHost() {
        String advertised = spec.advertiseHost();
        return advertised != null && advertised.indexOf(':') >= 0
                ? "::"
                : kit.node().defaultBindHost();
    }

    private String advertisedHost(String bound) {
        String advertised = spec.advertiseHost();
        return advertised != null ? advertised : kit.node().advertisedHost(bound);
    }

    /**
     * Every prefill engine listens on a port for its decoders, as every engine does that may become one, and SGLang's default is the
     * same for all. The server in Rust of newer versions serves them on its own port, and refuses another one.
     */
    private @Nullable Integer planBootstrap(Map<String, Object> arguments, List<PortLease> leases, int ownPort) {
        boolean prefill = isPrefill();
        if (!prefill && !mayBecomePrefill()) {
            return null;
        }
        Object given = arguments.get(BOOTSTRAP);
        if (prefill && servesDecodersItself()) {
            if (given != null) {
                throw new WorkerFailure(BOOTSTRAP + " is " + given + ", but this SGLang's server in Rust"
                        + " (SGLANG_RUST_SERVER) serves decoders on the engine's own port; leave it unset");
            }
            return ownPort;
        }
        if (spec.spansNodes() && given instanceof Number port) {
            return prefill ? port.intValue() : null; // leased for all parts together
        }
        PortLease lease = kit.port(arguments, BOOTSTRAP);
        leases.add(lease);
        arguments.put(BOOTSTRAP, lease.port());
        return prefill ? Integer.valueOf(lease.port()) : null;
    }

    private boolean isPrefill() {
        return PREFILL.equals(spec.serverArgs().get("disaggregation_mode"));
    }

    private boolean mayBecomePrefill() {
        return isDecode() && Boolean.TRUE.equals(spec.serverArgs().get("enable_pd_role_switch"));
    }

    /** Whether all parts of the engine need to know one port for its decoders. */
    boolean needsBootstrapPort() {
        boolean given = spec.serverArgs().get(BOOTSTRAP) != null;
        return !given && (mayBecomePrefill() || (isPrefill() && !servesDecodersItself()));
    }

    /** Where the processes of the engine meet; those of an engine that spans nodes are given an address. */
    private int planMeeting(List<PortLease> leases) {
        if (spec.meeting().isPresent()) {
            String address = spec.meeting().get();
            return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)); // leased for all parts together
        }
        List<PortLease> run = kit.ports().acquireRun(meetingPorts());
        leases.addAll(run);
        return run.get(0).port();
    }

    /** How many ports SGLang takes from that of the meeting on. */
    int meetingPorts() {
        boolean derives = Boolean.TRUE.equals(spec.serverArgs().get("enable_dp_attention"));
        int ranks = WholeNumber.of(spec.serverArgs().get("dp_size")).orElse(1);
        return derives || spec.spansNodes() ? DERIVED_PORTS + Math.max(1, ranks) : 1;
    }

    /** What the variable asks for, where the installed SGLang has it; older ones do not know the variable. */
    private boolean servesDecodersItself() {
        return TRUE.contains(variable("SGLANG_RUST_SERVER").toLowerCase(Locale.ROOT))
                && new PythonProbe(kit.pythonPackage())
                        .rustServesBootstrap(
                                kit.interpreter(spec.pythonInterpreter(), spec.environment()),
                                PythonProbe.DEFAULT_DEADLINE);
    }

    private boolean isDecode() {
        return "decode".equals(spec.serverArgs().get("disaggregation_mode"));
    }

    private ProcessSpec process(Map<String, Object> arguments, int distPort, int number) {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("kind", spec.serverType());
        request.put("server_args", arguments);
        request.put("dist_port", distPort);
        return kit.serve(
                spec.actorName(),
                kit.interpreter(spec.pythonInterpreter(), spec.environment()),
                request,
                environment(),
                kit.logFile(
                        spec.logDirectory(),
                        "engine",
                        spec.groupName(),
                        spec.rank(),
                        part() + incarnation.suffix(number)));
    }

    /** The process from which engines can be forked. */
    ProcessSpec forkServer() {
        List<String> arguments = new ArrayList<>(List.of(spec.serverType()));
        if (spec.serverArgs().get("device") instanceof String device) {
            arguments.addAll(List.of("--device", device));
        }
        if (Boolean.TRUE.equals(spec.serverArgs().get("enable_memory_saver"))) {
            arguments.add("--memory-saver");
        }
        Weights weights = spec.initialWeights();
        // Other places may have credentials in their names, which the process table would show.
        if (weights.path() != null && weights.path().startsWith("/")) {
            arguments.addAll(List.of("--read-ahead", weights.path()));
            if (weights.loadFormat() != null) {
                arguments.addAll(List.of("--load-format", weights.loadFormat()));
            }
        }
        return kit.forkServer(
                spec.actorName() + "-forks",
                kit.interpreter(spec.pythonInterpreter(), spec.environment()),
                arguments,
                environment(),
                kit.logFile(spec.logDirectory(), "forks", spec.groupName(), spec.rank(), part()));
    }

    private String part() {
        return spec.number() == 0 ? "" : "-part" + spec.number();
    }

    private EnvironmentBuilder environment() {
        EnvironmentBuilder environment = kit.environment(spec.environment());
        if (spec.spansNodes()) {
            // NCCL and gloo would choose by themselves, such as a bridge that other nodes cannot reach.
            kit.node().networkInterface().ifPresent(name -> {
                environment.putIfAbsent("GLOO_SOCKET_IFNAME", name);
                environment.putIfAbsent("NCCL_SOCKET_IFNAME", "=" + name);
            });
        }
        if (spec.spansNodes() || isPrefill() || isDecode()) {
            // SGLang would take the address that leads to 8.8.8.8; where none does, parts or decoders wait without end.
            environment.putIfAbsent("SGLANG_HOST_IP", kit.node().ip());
        }
        if (devices().isEmpty() || spec.deviceVariable().isEmpty()) {
            return environment.noDevices();
        }
        return environment.visibleDevices(spec.deviceVariable(), devices());
    }

    private List<String> devices() {
        return spec.devices(kit.node());
    }

    private void waits(@Nullable String what) {
        waiting = what;
        if (what != null) {
            LOG.info("{} {}", spec.actorName(), what);
        }
    }

    @Override
    public List<String> conditions() {
        return Stream.of(onProcessor(), waiting).filter(Objects::nonNull).toList();
    }

    /** That it does not use its accelerators, and why; null when it does. As {@code sglang_ray/engine.py} decides it. */
    private @Nullable String onProcessor() {
        if ("cpu".equals(spec.serverArgs().get("device"))) {
            return "computes on the CPU (device: cpu)";
        }
        return "cpu".equalsIgnoreCase(variable(DEVICE_VARIABLE))
                ? "computes on the CPU (" + DEVICE_VARIABLE + "=cpu)"
                : null;
    }

    /** What a variable is for the engine; empty when it is not set. */
    private String variable(String name) {
        return kit.environment(spec.environment())
                .build()
                .getOrDefault(name, "")
                .strip();
    }
}
