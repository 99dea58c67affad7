/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes the environment of a child: the JVM's own, less what would lead it astray, plus what it needs. Not safe for use by
 * several threads at once; {@link #build()} gives an independent map.
 */
public final class EnvironmentBuilder {
    /** A proxy between engine and router makes health checks fail in ways that are hard to trace; RLinf strips them too. */
    private static final Set<String> PROXIES = Set.of("http_proxy", "https_proxy", "all_proxy", "ftp_proxy");

    private static final List<String> DEVICE_VARIABLES = List.of(
            "CUDA_VISIBLE_DEVICES",
            "HIP_VISIBLE_DEVICES",
            "ROCR_VISIBLE_DEVICES",
            "MUSA_VISIBLE_DEVICES",
            "ASCEND_RT_VISIBLE_DEVICES");

    /** Python reads them when it is used by hand; a program would not end, or run a file of the user's. */
    private static final Set<String> INTERACTIVE = Set.of("PYTHONSTARTUP", "PYTHONINSPECT");

    private static final String PYTHON_PATH = "PYTHONPATH";

    private static final String LOCAL = "localhost,127.0.0.1,::1";

    private final Map<String, String> variables;

    private EnvironmentBuilder(Map<String, String> base) {
        this.variables = new LinkedHashMap<>(new TreeMap<>(base));
    }

    /**
     * Starts from an environment, usually {@link System#getenv()}, without its proxy variables. No Python that gets it has
     * its working directory on its path, nor has one that such a Python starts.
     */
    public static EnvironmentBuilder from(Map<String, String> base) {
        EnvironmentBuilder builder = new EnvironmentBuilder(base);
        builder.variables.keySet().removeIf(name -> PROXIES.contains(name.toLowerCase(Locale.ROOT)));
        builder.noProxy(builder.variables.getOrDefault("NO_PROXY", builder.variables.getOrDefault("no_proxy", "")));
        builder.variables.keySet().removeAll(INTERACTIVE);
        builder.variables.put("PYTHONSAFEPATH", "1"); // since 3.11
        builder.variables.computeIfPresent(PYTHON_PATH, (name, path) -> absolute(path));
        // A log that is read while the child runs must not wait in a buffer.
        builder.variables.put("PYTHONUNBUFFERED", "1");
        return builder;
    }

    private void noProxy(String current) {
        String value = current.isBlank() ? LOCAL : current + "," + LOCAL;
        variables.put("NO_PROXY", value);
        variables.put("no_proxy", value);
    }

    /** The entries of a search path that mean the same in every working directory; an empty entry is that directory. */
    private static @Nullable String absolute(String path) {
        String kept = Arrays.stream(path.split(":", -1))
                .filter(entry -> entry.startsWith("/"))
                .collect(Collectors.joining(":"));
        return kept.isEmpty() ? null : kept;
    }

    /** Sets a variable. */
    public EnvironmentBuilder put(String name, String value) {
        variables.put(name, value);
        return this;
    }

    /** Sets a variable unless it is set. */
    public EnvironmentBuilder putIfAbsent(String name, String value) {
        variables.putIfAbsent(name, value);
        return this;
    }

    /** Puts a folder first on {@code PYTHONPATH}. */
    public EnvironmentBuilder pythonPath(Path folder) {
        String current = variables.getOrDefault(PYTHON_PATH, "");
        variables.put(PYTHON_PATH, current.isEmpty() ? folder.toString() : folder + ":" + current);
        return this;
    }

    /**
     * Shows exactly these devices to the child, and no others of their kind.
     *
     * @param variable the kind's variable, such as {@code CUDA_VISIBLE_DEVICES}
     * @param ids device ids as Ray gives them, in the order wanted; none hides all
     */
    public EnvironmentBuilder visibleDevices(String variable, List<String> ids) {
        // oneAPI takes no device without its backend.
        String backend = variable.equals("ONEAPI_DEVICE_SELECTOR") && !ids.isEmpty() ? "level_zero:" : "";
        variables.put(variable, backend + String.join(",", ids));
        return this;
    }

    /** Hides the devices of every kind that an empty variable hides. */
    public EnvironmentBuilder noDevices() {
        DEVICE_VARIABLES.forEach(name -> variables.put(name, ""));
        return this;
    }

    /** The environment as it is now, in alphabetical order, so that every start of a child sees the same one. */
    public Map<String, String> build() {
        return Collections.unmodifiableMap(new TreeMap<>(variables));
    }
}
