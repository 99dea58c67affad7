/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The command line {@code ray start --block} of one node. */
final class RayStart {

    static final int GCS_PORT = 6379;
    static final int DASHBOARD_PORT = 8265;

    /** Enough for control messages; the default would take a third of the machine's memory. */
    private static final long OBJECT_STORE_BYTES = 100L << 20;

    private RayStart() {}

    static List<String> command(PythonEnvironment python, ClusterSpec cluster, ClusterNode node, String gcsAddress) {
        NodeSpec spec = cluster.nodes().get(node.index());
        List<String> words =
                new ArrayList<>(List.of(python.python().toString(), python.ray().toString(), "start"));
        if (node.index() == 0) {
            words.addAll(List.of(
                    "--head",
                    "--port=" + GCS_PORT,
                    "--include-dashboard=" + (cluster.services() == Services.RAY_AND_DASHBOARD)));
            words.addAll(List.of("--dashboard-host=0.0.0.0", "--dashboard-port=" + DASHBOARD_PORT));
        } else {
            words.add("--address=" + gcsAddress);
        }
        words.addAll(List.of("--block", "--disable-usage-stats", "--node-ip-address=" + cluster.address(node)));
        words.addAll(List.of("--num-cpus=" + spec.cpus(), "--num-gpus=" + spec.gpus()));
        words.add("--object-store-memory=" + OBJECT_STORE_BYTES);
        if (!spec.resources().isEmpty()) {
            words.add("--resources=" + json(spec.resources()));
        }
        if (!spec.labels().isEmpty()) {
            words.add("--labels="
                    + spec.labels().entrySet().stream()
                            .map(label -> label.getKey() + "=" + label.getValue())
                            .collect(Collectors.joining(",")));
        }
        return words;
    }

    private static String json(Object value) {
        try {
            return new ObjectMapper().writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
