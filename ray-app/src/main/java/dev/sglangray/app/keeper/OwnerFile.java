/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.keeper;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.FleetMemory;
import dev.sglangray.app.FleetState;
import dev.sglangray.bridge.NodeDirectories;
import io.ray.api.Ray;
import io.ray.api.runtimecontext.RuntimeContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a fleet's owner writes the fleet down for its successor: a file on its node, which the successor finds because Ray
 * starts it on the same node. It lies beside what workers write down, so that the next worker on the node deletes it when the
 * owner is gone for good. Holds no secrets. Failures are logged, not thrown. Safe for use by several threads.
 */
final class OwnerFile implements FleetMemory {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerFile.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final String actorId;
    private final Map<String, String> who;

    /**
     * Writes nothing yet.
     *
     * @param actorId the owner's id, which stays the same when Ray starts it again
     * @param who the owner's {@code actor} name, {@code namespace} and Ray's {@code session} on its node
     */
    OwnerFile(Path folder, String actorId, Map<String, String> who) {
        this.folder = folder;
        this.actorId = actorId;
        this.who = Map.copyOf(who);
    }

    /** That of the actor that runs here. */
    static OwnerFile current(String actor) {
        RuntimeContext ray = Ray.getRuntimeContext();
        // The raylet's socket lies in the session's folder.
        String session = ray.getAllNodeInfo().stream()
                .filter(node -> node.nodeId.equals(ray.getCurrentNodeId()))
                .map(node -> String.valueOf(Path.of(String.valueOf(node.rayletSocketName))
                        .resolve("../..")
                        .normalize()))
                .findFirst()
                .orElse("");
        return new OwnerFile(
                NodeDirectories.base().resolve("workers"),
                ray.getCurrentActorId().toString(),
                Map.of("actor", actor, "namespace", ray.getNamespace(), "session", session));
    }

    private Path file(String what) {
        return folder.resolve(actorId + "-" + what + ".json");
    }

    @Override
    public synchronized void save(FleetState state) {
        try {
            Files.createDirectories(folder);
            write(file("who"), who);
            write(file("fleet"), state);
        } catch (IOException e) {
            LOG.warn("the fleet cannot be written down, so that a successor of its owner could not take it over", e);
        }
    }

    private static void write(Path file, Object value) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(fresh, JSON.writeValueAsString(value));
        Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /** What the predecessor saved; empty when it had not launched the fleet yet. */
    synchronized Optional<FleetState> load() throws IOException {
        Path file = file("fleet");
        return Files.exists(file)
                ? Optional.of(JSON.readValue(Files.readString(file), FleetState.class))
                : Optional.empty();
    }

    /** Once the fleet has ended. */
    synchronized void delete() {
        try {
            Files.deleteIfExists(file("fleet"));
            Files.deleteIfExists(file("who"));
        } catch (IOException e) {
            LOG.warn("the file of a fleet that has ended cannot be deleted", e);
        }
    }
}
