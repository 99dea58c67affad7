/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a Ray cluster says of itself to a program that has not joined it.
 *
 * @param rayVersion its version of Ray, or null when it does not tell
 * @param nodeAddresses what Ray knows its living nodes by: addresses, or names on clusters that were started with names
 */
public record ClusterFacts(@Nullable String rayVersion, List<String> nodeAddresses) {
    public ClusterFacts {
        nodeAddresses = List.copyOf(nodeAddresses);
    }

    /**
     * Asks, through a Python that has ray.
     *
     * @param packageFolder the extracted Python package
     * @param interpreter a Python with ray
     * @param address the cluster's {@code host:port}
     * @throws PythonException when the interpreter cannot ask, or the cluster does not answer
     */
    public static ClusterFacts ask(Path packageFolder, String interpreter, String address, Duration deadline) {
        String text = new PythonModule(interpreter, packageFolder)
                .runForJson("sglang_ray.cluster", List.of(address), deadline);
        try {
            JsonNode json = BridgeJson.MAPPER.readTree(text);
            List<String> nodes = new ArrayList<>();
            json.path("nodes").forEach(node -> nodes.add(node.asText()));
            return new ClusterFacts(json.path("ray_version").textValue(), nodes);
        } catch (JsonProcessingException e) {
            throw new PythonException("The cluster probe's answer is not JSON: " + text, e);
        }
    }
}
