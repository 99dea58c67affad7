/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.workers.protocol.ProtocolJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Looks at a checkpoint before an engine loads it, so that what cannot work is refused while nothing has happened
 * yet: a folder that is not on this node, or a model of another shape. Immutable.
 */
final class CheckpointCheck {
    /** What {@code config.json} says of a model's shape. */
    private static final List<String> SHAPE = List.of(
            "model_type",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "num_key_value_heads",
            "intermediate_size",
            "vocab_size",
            "head_dim",
            "num_experts");

    private final Supplier<@Nullable String> served;
    private final String node;

    /**
     * For an engine.
     *
     * @param served gives the path of the model with which it was started, or null when unknown
     * @param node its address, for messages
     */
    CheckpointCheck(Supplier<@Nullable String> served, String node) {
        this.served = served;
        this.node = node;
    }

    /** Why these weights cannot be loaded here; empty when nothing speaks against them. Names of a hub are let through. */
    Optional<String> refuse(String path) {
        Path folder = Path.of(path);
        if (!folder.isAbsolute()) {
            return Optional.empty();
        }
        if (!Files.isDirectory(folder)) {
            return Optional.of("there is no folder " + path + " on node " + node);
        }
        try (Stream<Path> files = Files.list(folder)) {
            if (files.findAny().isEmpty()) {
                return Optional.of("the folder " + path + " on node " + node + " is empty");
            }
        } catch (IOException e) {
            return Optional.of("the folder " + path + " on node " + node + " cannot be read: " + e);
        }
        return otherShape(folder);
    }

    private Optional<String> otherShape(Path folder) {
        String path = served.get();
        if (path == null) {
            return Optional.empty();
        }
        JsonNode here = config(Path.of(path));
        JsonNode there = config(folder);
        return SHAPE.stream()
                .filter(key -> here.hasNonNull(key)
                        && there.hasNonNull(key)
                        && !here.get(key).equals(there.get(key)))
                .findFirst()
                .map(key -> "the weights in " + folder + " are of another model: " + key + " is " + there.get(key)
                        + " there, and " + here.get(key) + " in the engine's");
    }

    private static JsonNode config(Path folder) {
        try {
            return ProtocolJson.tree(Files.readString(folder.resolve("config.json")));
        } catch (IOException | IllegalArgumentException e) {
            return ProtocolJson.tree("{}");
        }
    }
}
