/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The network devices of each accelerator: a JSON map, or the path of a file with one. It has the node's numbers, because the placement
 * chooses an engine's accelerators, and SGLang reads it by the engine's own, which count from 0. Stateless.
 */
final class NetworkDevices {
    private static final List<String> ARGUMENTS = List.of("disaggregation_ib_device", "mooncake_ib_device");
    private static final ObjectMapper JSON = new ObjectMapper();

    private NetworkDevices() {}

    /**
     * Gives an engine its part of such maps, by its own numbers. What is no map, or has not all of the engine's accelerators, is left
     * to SGLang as it is.
     *
     * @param devices the engine's accelerators by the node's numbers, in the order in which it counts them
     */
    static void renumber(Map<String, Object> arguments, List<String> devices) {
        for (String name : ARGUMENTS) {
            if (!devices.isEmpty() && arguments.get(name) instanceof String given) {
                JsonNode map = map(given.strip());
                if (devices.stream().allMatch(map::has)) {
                    ObjectNode own = JSON.createObjectNode();
                    devices.forEach(device -> own.set(String.valueOf(own.size()), map.get(device)));
                    arguments.put(name, own.toString());
                }
            }
        }
    }

    private static JsonNode map(String text) {
        try {
            return JSON.readTree(
                    text.startsWith("{") ? text : text.endsWith(".json") ? Files.readString(Path.of(text)) : "{}");
        } catch (IOException e) {
            return JSON.createObjectNode(); // SGLang says what is wrong with it
        }
    }
}
