/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.workers.protocol.EngineLoad;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads what an engine's {@code /metrics} says of its load. Pure. */
final class EngineMetrics {
    private static final Pattern SAMPLE = Pattern.compile("^sglang:([a-z_]+)(?:\\{(.*)\\})? ([-+0-9.eE]+)( .*)?$");
    private static final Pattern RANK = Pattern.compile("(?:^|,)dp_rank=\"([^\"]*)\"");

    private EngineMetrics() {}

    static EngineLoad load(String text) {
        Map<String, Map<String, Double>> values = new HashMap<>();
        text.lines().map(SAMPLE::matcher).filter(Matcher::matches).forEach(sample -> {
            String labels = sample.group(2) == null ? "" : sample.group(2);
            Matcher rank = RANK.matcher(labels);
            // The schedulers of one data-parallel rank tell the same.
            values.computeIfAbsent(sample.group(1), name -> new HashMap<>())
                    .merge(rank.find() ? rank.group(1) : "", Double.parseDouble(sample.group(3)), Math::max);
        });
        Double running = total(values.get("num_running_reqs"));
        Double queued = total(values.get("num_queue_reqs"));
        Map<String, Double> use = values.get("token_usage");
        Double used = total(use);
        return new EngineLoad(
                running == null ? null : running.intValue(),
                queued == null ? null : queued.intValue(),
                total(values.get("gen_throughput")),
                used == null || use == null ? null : used / use.size());
    }

    private static @Nullable Double total(@Nullable Map<String, Double> byRank) {
        return byRank == null
                ? null
                : Double.valueOf(byRank.values().stream()
                        .mapToDouble(Double::doubleValue)
                        .sum());
    }
}
