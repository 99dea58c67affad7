/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.bridge.NodeDirectories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a worker tells its successor, should Ray replace its process: one small JSON file on the node, in a folder that only
 * this user can read. Holds no secrets. Failures are logged, not thrown: without memory a worker still works. Safe for use
 * by many threads.
 */
final class MemoryFile {
    private static final Logger LOG = LoggerFactory.getLogger(MemoryFile.class);

    private final Path file;

    MemoryFile(Path file) {
        this.file = file;
    }

    /** The file of an actor, by an id that stays the same when Ray restarts it. */
    static MemoryFile of(String actorId, String what) {
        return new MemoryFile(folder().resolve(actorId + "-" + what + ".json"));
    }

    /** Where they all lie. */
    static Path folder() {
        return NodeDirectories.base().resolve("workers");
    }

    synchronized void save(Object value) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(fresh, Json.write(value));
            Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            LOG.warn("Cannot write {}: {}", file, e.toString());
        }
    }

    synchronized <T> Optional<T> load(Class<T> type) {
        try {
            return Files.exists(file) ? Optional.of(Json.read(Files.readString(file), type)) : Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("Cannot read {}: {}", file, e.toString());
            return Optional.empty();
        }
    }

    synchronized void delete() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("Cannot delete {}: {}", file, e.toString());
        }
    }
}
