/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.workers.protocol.ExternalServer;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the router worker needs to know. Travels to the actor as JSON.
 *
 * @param groupName the group, part of the actor's name {@code <group>:0}
 * @param routerType which router it is, {@code sglang-router} or {@code smg}; null for the one that its Python has
 * @param routerArgs the router's RouterArgs by field name; null values are unset
 * @param environment variables on top of the worker's own
 * @param pythonInterpreter the router's Python, or null for {@code SGLANG_RAY_PYTHON}, else {@code python3}
 * @param startTimeoutSeconds how long the router may take to answer; RLinf's value is 300
 * @param logDirectory where the router's log goes, or null for the Ray session's log folder
 * @param supervision how the router is looked after
 * @param externalServers servers that other programs keep, to which the router sends too
 */
public record RouterSpec(
        String groupName,
        @Nullable String routerType,
        Map<String, Object> routerArgs,
        Map<String, String> environment,
        @Nullable String pythonInterpreter,
        double startTimeoutSeconds,
        @Nullable String logDirectory,
        SupervisionPolicy supervision,
        List<ExternalServer> externalServers) {

    /** RLinf waits this long for a router. */
    public static final Duration DEFAULT_START_TIMEOUT = Duration.ofMinutes(5);

    /** Checks the number; a wrong one is an {@link IllegalArgumentException}. */
    public RouterSpec {
        routerArgs = Collections.unmodifiableMap(new LinkedHashMap<>(routerArgs));
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
        externalServers = List.copyOf(externalServers);
        if (!(startTimeoutSeconds > 0)) {
            throw new IllegalArgumentException("The start timeout must be above 0 s: " + startTimeoutSeconds);
        }
    }

    /** The same with other arguments. */
    public RouterSpec with(Map<String, Object> otherArgs) {
        return new RouterSpec(
                groupName,
                routerType,
                otherArgs,
                environment,
                pythonInterpreter,
                startTimeoutSeconds,
                logDirectory,
                supervision,
                externalServers);
    }

    /** The key that guards the router, or null. */
    public @Nullable String apiKey() {
        return Objects.toString(routerArgs.get("api_key"), null);
    }

    /** Takes the secrets of arguments and environment out of texts. */
    public SecretRedactor secrets() {
        return SecretRedactor.of(routerArgs, environment, externalServers);
    }

    /** Without arguments and environment, which may hold secrets. */
    @Override
    public String toString() {
        return "RouterSpec[" + WorkerNames.actor(groupName, 0) + "]";
    }
}
