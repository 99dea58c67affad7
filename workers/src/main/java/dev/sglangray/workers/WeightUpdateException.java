/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.protocol.UpdateOutcome;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** An update of weights that did not happen: the fleet has the weights that it had, and serves with them. */
public final class WeightUpdateException extends WorkerException {
    private final transient Map<Integer, UpdateOutcome> engines;

    WeightUpdateException(String group, String reason, Map<Integer, UpdateOutcome> engines, @Nullable Throwable cause) {
        super(group, -1, "", "updateWeights", reason + words(engines), cause);
        this.engines = Collections.unmodifiableMap(new LinkedHashMap<>(engines));
    }

    private static String words(Map<Integer, UpdateOutcome> engines) {
        return engines.entrySet().stream()
                .filter(entry -> !entry.getValue().detail().isEmpty())
                .map(entry -> "\n  rank " + entry.getKey() + ": "
                        + entry.getValue().result() + ", " + entry.getValue().detail())
                .collect(Collectors.joining());
    }

    /** What came of it at each rank. */
    public Map<Integer, UpdateOutcome> engines() {
        return engines;
    }
}
