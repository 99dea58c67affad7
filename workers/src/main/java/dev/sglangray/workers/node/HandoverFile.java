/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.bridge.NodeDirectories;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.ProtocolJson;
import io.ray.api.BaseActorHandle;
import io.ray.api.Ray;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one worker keeps on its node for a successor, should Ray replace its process: one small JSON file by the actor's id, in a
 * folder that only this user can read, with a section for each part of the worker. It holds no secrets, only
 * the key to those that Ray keeps ({@link SealedSecrets}). Writing never blocks a
 * caller; failures are logged, not thrown: without a disk a worker still works. Safe for use by many threads.
 */
public final class HandoverFile {
    private static final Logger LOG = LoggerFactory.getLogger(HandoverFile.class);
    /** A disk that does not answer by then holds up nothing: what it should keep is then lost with this process. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Path file;
    private final ThreadLoop loop;
    private final Map<String, Object> sections = new LinkedHashMap<>();
    private final Map<String, JsonNode> left = new LinkedHashMap<>();
    private final Object disk = new Object();
    private long asked;
    private long written;
    private boolean writing;
    private boolean deleted;
    private CompletableFuture<Void> next = new CompletableFuture<>();

    /** Reads what a predecessor left. */
    public HandoverFile(Path file, ThreadLoop loop) {
        this.file = file;
        this.loop = loop;
        try {
            if (Files.exists(file)) {
                ProtocolJson.tree(Files.readString(file))
                        .properties()
                        .forEach(section -> left.put(section.getKey(), section.getValue()));
            }
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("Cannot read {}: {}", file, e.toString());
        }
    }

    /** The file of an actor of another kind, which runs here. */
    public static HandoverFile ofActor(String actor, ThreadLoop loop) {
        return open(actor, RayNode.current(), loop);
    }

    /** Of the actor that runs here; deletes meanwhile what dead ones left. */
    public static HandoverFile open(String actor, WorkerNode node, ThreadLoop loop) {
        String id = Ray.getRuntimeContext().getCurrentActorId().toString();
        HandoverFile file = new HandoverFile(folder().resolve(id + HandoverSweep.SUFFIX), loop);
        // The session's folder has the logs, and its name is the session's.
        String session = Objects.toString(node.logDirectory().getParent());
        CompletableFuture<Void> unused = file.section(HandoverSweep.WHO, HandoverSweep.Who.class)
                .save(new HandoverSweep.Who(actor, Ray.getRuntimeContext().getNamespace(), session));
        HandoverSweep sweep = new HandoverSweep(folder(), session, HandoverFile::livingId, InstantSource.system());
        CompletableFuture<Boolean> unusedSweep = loop.block(() -> {
            sweep.run();
            return true;
        });
        return file;
    }

    private static Optional<String> livingId(String actor, String namespace) {
        Optional<BaseActorHandle> found = Ray.getActor(actor, namespace);
        return found.map(handle -> handle.getId().toString());
    }

    /** Where they all lie. */
    static Path folder() {
        return NodeDirectories.base().resolve("workers");
    }

    /** One part of the file. */
    public <T> RecordStore<T> section(String name, Class<T> type) {
        return new RecordStore<>() {
            @Override
            public CompletableFuture<Void> save(T record) {
                return put(name, record);
            }

            @Override
            public Optional<T> load() {
                return read(name, type);
            }

            @Override
            public void delete() {
                HandoverFile.this.delete();
            }
        };
    }

    private synchronized <T> Optional<T> read(String name, Class<T> type) {
        try {
            return Optional.ofNullable(left.get(name)).map(json -> ProtocolJson.read(json.toString(), type));
        } catch (IllegalArgumentException e) {
            LOG.warn("Cannot read {} in {}: {}", name, file, e.toString());
            return Optional.empty();
        }
    }

    private CompletableFuture<Void> put(String name, Object record) {
        CompletableFuture<Void> done;
        synchronized (this) {
            if (deleted) {
                return CompletableFuture.completedFuture(null);
            }
            sections.put(name, record);
            asked++;
            done = next.copy();
            if (!writing) {
                writing = true;
                CompletableFuture<Boolean> unused = loop.block(this::write);
            }
        }
        return loop.here(done.completeOnTimeout(null, PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
    }

    /** Writes until what was asked for lies on the disk. */
    private boolean write() {
        while (true) {
            Map<String, Object> all = new LinkedHashMap<>();
            CompletableFuture<Void> mine;
            long version;
            synchronized (this) {
                if (deleted || written == asked) {
                    writing = false;
                    return true;
                }
                // Sections that this process has not said anything about yet stay as they were.
                all.putAll(left);
                all.putAll(sections);
                version = asked;
                mine = next;
                next = new CompletableFuture<>();
            }
            write(all);
            synchronized (this) {
                written = version;
            }
            mine.complete(null);
        }
    }

    private void write(Map<String, Object> all) {
        synchronized (disk) {
            synchronized (this) {
                if (deleted) {
                    return;
                }
            }
            try {
                Files.createDirectories(file.toAbsolutePath().getParent());
                Path fresh = file.resolveSibling(file.getFileName() + ".new");
                Files.writeString(fresh, ProtocolJson.write(all));
                Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                LOG.warn("Cannot write {}: {}", file, e.toString());
            }
        }
    }

    /** After an orderly end there is no successor. Waits for a write that is under way; later ones do nothing. */
    void delete() {
        synchronized (this) {
            deleted = true;
        }
        synchronized (disk) {
            try {
                Files.deleteIfExists(file);
                Files.deleteIfExists(file.resolveSibling(file.getFileName() + ".new"));
            } catch (IOException e) {
                LOG.warn("Cannot delete {}: {}", file, e.toString());
            }
        }
    }
}
