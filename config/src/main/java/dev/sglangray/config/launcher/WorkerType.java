/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import dev.sglangray.config.Config;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What an engine does for a request: SGLang's router's {@code worker_type}. */
public enum WorkerType {
    /** All of it. */
    REGULAR,
    /** It reads the prompt, and hands its cache over. */
    PREFILL,
    /** It writes the answer. */
    DECODE;

    /** SGLang's argument that decides it. */
    public static final String ARGUMENT = "disaggregation_mode";

    /** That of an engine with these arguments. */
    public static WorkerType of(Map<String, ? extends @Nullable Object> serverArgs) {
        Object mode = serverArgs.get(ARGUMENT);
        return "prefill".equals(mode) ? PREFILL : "decode".equals(mode) ? DECODE : REGULAR;
    }

    static WorkerType read(Config field) {
        return LauncherArgsReader.word(field, values(), WorkerType::configName, "cannot be");
    }

    /** The word in configurations, and for the router. */
    public String configName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
