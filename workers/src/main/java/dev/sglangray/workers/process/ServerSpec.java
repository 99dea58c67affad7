/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.WorkerType;
import dev.sglangray.workers.node.VisibleDevices;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one server worker needs to know. Travels to the actor as JSON.
 *
 * @param groupName the group, part of the actor's name {@code <group>:<rank>}
 * @param rank the engine's rank, 0 and up
 * @param groupSize how many engines the group has; the number may change later
 * @param pool the pool that the engine is of; empty in a fleet that names no pools
 * @param serverType {@code srt} (language models) or {@code embodied} (sglang.multimodal_gen); RLinf's words
 * @param serverArgs SGLang's ServerArgs by field name, passed through; null values are unset
 * @param environment variables on top of the worker's own
 * @param pythonInterpreter the engine's Python, or null for {@code SGLANG_RAY_PYTHON}, else {@code python3}
 * @param deviceVariable which variable shows the accelerators, such as {@code CUDA_VISIBLE_DEVICES}; empty for none
 * @param plannedDevices the plan's accelerator ids, for where Ray gives the actor none by number
 * @param healthTimeoutSeconds how long the engine may take to become healthy; RLinf's value is 900
 * @param logDirectory where the engine's log goes, or null for the Ray session's log folder
 * @param supervision how the engine is looked after
 * @param routerGroup the group of the fleet's router, which learns when the engine comes and goes; null for none
 * @param advertiseHost the host in the engine's URL, or null for the one that follows from where it listens
 * @param updateWeights whether the engine gets the weights of an update; false where its pool says so
 * @param number which part of the engine this is, SGLang's {@code node_rank}; 0 for an engine on one node
 * @param furtherParts in part 0 of an engine that spans nodes, its other parts in order; else empty
 */
public record ServerSpec(
        String groupName,
        int rank,
        int groupSize,
        String pool,
        String serverType,
        Map<String, Object> serverArgs,
        Map<String, String> environment,
        @Nullable String pythonInterpreter,
        String deviceVariable,
        List<String> plannedDevices,
        double healthTimeoutSeconds,
        @Nullable String logDirectory,
        SupervisionPolicy supervision,
        @Nullable String routerGroup,
        @Nullable String advertiseHost,
        boolean updateWeights,
        int number,
        List<PartSpec> furtherParts) {

    private static final String NODES = "nnodes";
    private static final String NODE_RANK = "node_rank";
    private static final String MEETING = "dist_init_addr";
    private static final String BOOTSTRAP = "disaggregation_bootstrap_port";

    /** RLinf waits this long for an engine. */
    public static final Duration DEFAULT_HEALTH_TIMEOUT = Duration.ofMinutes(15);

    static final List<String> SERVER_TYPES = List.of("srt", "embodied");

    /** Checks the type and the numbers; a wrong one is an {@link IllegalArgumentException}. */
    public ServerSpec {
        serverArgs = Collections.unmodifiableMap(new LinkedHashMap<>(serverArgs));
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
        plannedDevices = List.copyOf(plannedDevices);
        furtherParts = List.copyOf(furtherParts);
        if (!SERVER_TYPES.contains(serverType)) {
            throw new IllegalArgumentException(
                    "server_type is '" + serverType + "'; allowed are srt (language models) and embodied.");
        }
        if (rank < 0 || rank >= groupSize) {
            throw new IllegalArgumentException("Rank " + rank + " is outside a group of " + groupSize + ".");
        }
        if (!(healthTimeoutSeconds > 0)) {
            throw new IllegalArgumentException("The health timeout must be above 0 s: " + healthTimeoutSeconds);
        }
    }

    /** What the engine has when it starts; SGLang calls that version {@code default}. */
    public Weights initialWeights() {
        Object version = serverArgs.get("weight_version");
        Object path = serverArgs.get("model_path");
        Object format = serverArgs.get("load_format");
        return new Weights(
                version == null ? "default" : version.toString(),
                path == null ? null : path.toString(),
                format == null ? null : format.toString());
    }

    /** The name of the Ray actor. */
    public String actorName() {
        return WorkerNames.part(groupName, rank, number);
    }

    /** Where the parts of an engine that spans nodes meet, {@code host:port}; empty before that is chosen, and for all others. */
    Optional<String> meeting() {
        return spansNodes() ? Optional.ofNullable(serverArgs.get(MEETING)).map(Object::toString) : Optional.empty();
    }

    /** Whether the engine spans nodes. */
    public boolean spansNodes() {
        return number > 0 || !furtherParts.isEmpty();
    }

    /**
     * Part 0 of an engine that spans nodes, whose parts meet at an address of its node.
     *
     * @param bootstrapPort where all parts tell decoders to ask, or null where the arguments say it or nobody asks
     */
    public ServerSpec meetingAt(String address, @Nullable Integer bootstrapPort) {
        Map<String, Object> arguments = new LinkedHashMap<>(serverArgs);
        arguments.put(NODES, furtherParts.size() + 1);
        arguments.put(NODE_RANK, 0);
        arguments.put(MEETING, address);
        if (bootstrapPort != null) {
            arguments.put(BOOTSTRAP, bootstrapPort);
        }
        return new ServerSpec(
                groupName,
                rank,
                groupSize,
                pool,
                serverType,
                arguments,
                environment,
                pythonInterpreter,
                deviceVariable,
                plannedDevices,
                healthTimeoutSeconds,
                logDirectory,
                supervision,
                routerGroup,
                advertiseHost,
                updateWeights,
                number,
                furtherParts);
    }

    /**
     * A further part of this engine, to start where this one's arguments say that they meet.
     *
     * @param part its number, 1 or more
     */
    public ServerSpec part(int part) {
        PartSpec other = furtherParts.get(part - 1);
        Map<String, Object> arguments = new LinkedHashMap<>(serverArgs);
        // Part 0 alone has a port that others know.
        arguments.remove("port");
        arguments.put(NODE_RANK, part);
        if (other.host() == null) {
            arguments.remove("host");
        } else {
            arguments.put("host", other.host());
        }
        return new ServerSpec(
                groupName,
                rank,
                groupSize,
                pool,
                serverType,
                arguments,
                other.environment(),
                other.pythonInterpreter(),
                other.deviceVariable(),
                other.plannedDevices(),
                healthTimeoutSeconds,
                logDirectory,
                supervision,
                null,
                null,
                updateWeights,
                part,
                List.of());
    }

    /** How long the engine may take to become healthy. */
    public Duration healthTimeout() {
        return Duration.ofMillis((long) (healthTimeoutSeconds * 1000));
    }

    /** The accelerators that the engine sees: Ray's word counts; the plan's only where Ray gives none by number. */
    public List<String> devices(WorkerNode node) {
        List<String> numbers = node.devices().isEmpty() ? plannedDevices : node.devices();
        return VisibleDevices.names(numbers, deviceVariable, System.getenv(deviceVariable));
    }

    /** What a router must know of the engine at a URL, whose worker has a key. */
    public ServerEndpoint endpoint(String url, @Nullable Integer bootstrapPort, String key) {
        return new ServerEndpoint(
                url, workerType(), bootstrapPort, apiKey(), actorName(), key, 0, model(), updateWeights);
    }

    /** Which engine it is, in a group of so many. */
    public WorkerStatus.Identity identity(int engines) {
        return new WorkerStatus.Identity(
                "server", groupName, rank, engines, pool, workerType(), model(), updateWeights);
    }

    /** The name of the model that the engine answers to, as SGLang takes it from its arguments; empty where they name none. */
    private String model() {
        return EnginePool.model(serverArgs);
    }

    private String workerType() {
        return WorkerType.of(serverArgs).configName();
    }

    /** Why the engine can release no memory, if so: SGLang does nothing without its memory saver, and ends on a CPU. */
    public Optional<String> memoryRefusal(WorkerNode node) {
        if (devices(node).isEmpty() || "cpu".equals(serverArgs.get("device"))) {
            return Optional.of("the engine runs on a CPU, where SGLang would end on a release of memory");
        }
        if (!Boolean.TRUE.equals(serverArgs.get("enable_memory_saver"))) {
            return Optional.of("the engine was started without enable_memory_saver: true (in the block 'server'),"
                    + " and releases nothing");
        }
        return weightsRefusal();
    }

    /** Why the engine's weights can neither be updated nor released, if so: SGLang would end the engine. */
    public Optional<String> weightsRefusal() {
        String mode = Objects.toString(serverArgs.get("weight_cache_mode"), "off");
        return mode.equals("off")
                ? Optional.empty()
                : Optional.of("the engine's weights belong to SGLang's weight cache (weight_cache_mode: " + mode
                        + " in the block 'server'), and SGLang ends an engine that is asked to change them;"
                        + " start the fleet without it to update or release weights");
    }

    /** The key that guards the engine, or null. */
    public @Nullable String apiKey() {
        return Objects.toString(serverArgs.get("api_key"), null);
    }

    /** Takes the secrets of arguments and environment out of texts. */
    public SecretRedactor secrets() {
        return SecretRedactor.of(serverArgs, environment);
    }

    /** Without arguments and environment, which may hold secrets. */
    @Override
    public String toString() {
        return "ServerSpec[" + actorName() + " of " + groupSize + ", " + serverType + "]";
    }
}
