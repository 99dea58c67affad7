/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import dev.sglangray.workers.engine.EnginePort;
import dev.sglangray.workers.engine.ReleasedMemory;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** One process of an engine, as SGLang behaves: what it does when asked, and what it then answers requests with. */
final class SimServer {
    private final World world;
    private final boolean keepsWeights;
    final String url;
    boolean alive = true;
    boolean healthy;
    boolean loading;
    boolean garbage;
    boolean paused;
    String version = "initial";
    final Set<String> released = new HashSet<>();
    private final Runnable onDeath;
    private long busyUntil;

    SimServer(World world, String url, boolean keepsWeights, Runnable onDeath) {
        this.onDeath = onDeath;
        this.world = world;
        this.url = url;
        this.keepsWeights = keepsWeights;
    }

    /** Why an answer of now would be wrong or never come; empty when it is fine. */
    String fault() {
        if (!released.isEmpty()) {
            return "its memory is released: " + released;
        }
        if (garbage) {
            return "its weights are garbage";
        }
        return loading ? "its weights are being replaced" : "";
    }

    void die() {
        if (alive) {
            alive = false;
            healthy = false;
            onDeath.run();
        }
    }

    CompletableFuture<OptionalInt> requests() {
        return CompletableFuture.completedFuture(OptionalInt.of(world.micros() < busyUntil ? 1 : 0));
    }

    void busyFor(long micros) {
        busyUntil = world.micros() + micros;
    }

    CompletableFuture<EnginePort.Answer> post(String path, Map<String, ?> body) {
        if (!alive) {
            return CompletableFuture.failedFuture(new IllegalStateException("connection refused"));
        }
        switch (path) {
            case "/release_memory_occupation" -> {
                List<String> tags = tags(body);
                if (tags.stream().anyMatch(released::contains)) {
                    // SGLang ends an engine that must release what it has released.
                    die();
                    return new CompletableFuture<>();
                }
                released.addAll(tags);
                garbage |= tags.contains("weights") && !keepsWeights;
            }
            case "/resume_memory_occupation" -> {
                List<String> tags = tags(body);
                if (!released.containsAll(tags)) {
                    die();
                    return new CompletableFuture<>();
                }
                released.removeAll(tags);
            }
            case "/pause_generation" -> paused = true;
            case "/continue_generation" -> paused = false;
            case "/update_weights_from_disk" -> {
                return load(String.valueOf(body.get("weight_version")));
            }
            default -> {}
        }
        return answer(200, "");
    }

    private static List<String> tags(Map<String, ?> body) {
        return body.get("tags") instanceof List<?> list
                ? list.stream().map(String::valueOf).toList()
                : ReleasedMemory.ALL;
    }

    private CompletableFuture<EnginePort.Answer> load(String wanted) {
        if (!world.isCalm() && world.chance(0.05)) {
            return answer(400, "Failed to get weights iterator");
        }
        CompletableFuture<EnginePort.Answer> done = new CompletableFuture<>();
        loading = true;
        world.after(world.between(50_000, 2_000_000), () -> {
            if (!alive) {
                return;
            }
            loading = false;
            if (!world.isCalm() && world.chance(0.05)) {
                garbage = true;
                done.complete(new EnginePort.Answer(500, "out of memory half-way"));
            } else {
                garbage = false;
                version = wanted;
                done.complete(new EnginePort.Answer(200, "{\"success\": true}"));
            }
        });
        return done;
    }

    private static CompletableFuture<EnginePort.Answer> answer(int code, String text) {
        return CompletableFuture.completedFuture(new EnginePort.Answer(code, text));
    }
}
