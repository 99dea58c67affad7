/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.OrderedMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A node with its place in the cluster.
 *
 * @param rank the node's rank, counted from 0
 * @param snapshot the node as Ray reports it
 * @param labels the labels of the node groups that name this node by rank, in the order of the configuration
 * @param hardware how many of each hardware type the node has; types with none are left out
 */
public record NodeInfo(int rank, NodeSnapshot snapshot, List<String> labels, Map<String, Integer> hardware) {
    /** The hardware type of every accelerator, whatever its kind. */
    public static final String ACCELERATOR = "Accelerator";

    /** Copies the collections. */
    public NodeInfo {
        labels = List.copyOf(labels);
        hardware = OrderedMap.copyOf(hardware);
    }

    /** The node's address, without brackets. */
    public String ip() {
        return snapshot.ip();
    }

    /** How many accelerators the node has. */
    public int accelerators() {
        return hardwareCount(ACCELERATOR);
    }

    /** The kind of its accelerators; {@link AcceleratorType#NO_ACCEL} when it has none. */
    public AcceleratorType acceleratorType() {
        return accelerators() == 0 ? AcceleratorType.NO_ACCEL : snapshot.acceleratorType();
    }

    /** RLinf's name of the accelerator model, {@code "NV_GPU:H100"}; empty when the node has none. */
    public String acceleratorModel() {
        return accelerators() == 0 ? "" : snapshot.acceleratorType() + ":" + snapshot.acceleratorModel();
    }

    /** Whether pieces of this hardware type are the node's accelerators: by RLinf's name or by Ray's. */
    public boolean isAccelerator(String hardwareType) {
        return hardwareType.equals(ACCELERATOR)
                || (accelerators() > 0
                        && hardwareType.equals(snapshot.acceleratorType().rayResource()));
    }

    /** Ray's resource that counts pieces of this hardware type; empty when Ray does not know them, as for robots. */
    public Optional<String> rayResource(String hardwareType) {
        if (hardwareType.equals(ACCELERATOR)) {
            return Optional.of(acceleratorType().rayResource()).filter(name -> !name.isEmpty());
        }
        return snapshot.resources().getOrDefault(hardwareType, 0.0) >= 1 ? Optional.of(hardwareType) : Optional.empty();
    }

    /** How many of {@code hardwareType} the node has; 0 when none. */
    public int hardwareCount(String hardwareType) {
        return hardware.getOrDefault(hardwareType, 0);
    }
}
