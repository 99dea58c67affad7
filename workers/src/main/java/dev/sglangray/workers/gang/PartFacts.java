/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.gang;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What part 0 must know of a node before it starts an engine there. Travels as JSON.
 *
 * @param sharedMemory what identifies the node's {@code /dev/shm} in the world; empty when it cannot be found out
 */
public record PartFacts(String sharedMemory) {
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    /** Those of this node. */
    public static PartFacts here() {
        try {
            return new PartFacts(
                    Files.readString(BOOT_ID).strip() + "/" + Files.getAttribute(SHARED_MEMORY, "unix:dev"));
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return new PartFacts("");
        }
    }

    /**
     * Why two parts of one engine cannot be on these nodes: SGLang takes ranks that share {@code /dev/shm} for ranks of one node,
     * and waits without end for the others.
     */
    Optional<String> refusal(String node, PartFacts other, String otherNode) {
        return sharedMemory.isEmpty() || !sharedMemory.equals(other.sharedMemory)
                ? Optional.empty()
                : Optional.of(
                        ("nodes %s and %s are one machine with one /dev/shm, so that SGLang would take the parts of the engine"
                                        + " for one node's and wait without end; give each node a /dev/shm of its own")
                                .formatted(node, otherNode));
    }
}
