/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import dev.sglangray.workers.protocol.ProtocolJson;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what workers of this node left for successors that never came, because their whole fleet was killed. Only a later worker
 * of the node can know that. Failures are logged, not thrown. Stateless.
 */
final class HandoverSweep {
    /** Of another cluster's workers nothing can be known; no worker is replaced after such a time. */
    private static final Duration FORGOTTEN = Duration.ofDays(7);

    /** The section of each file that says whose it is. */
    static final String WHO = "who";

    /** How the files' names end, after the actor's id. */
    static final String SUFFIX = ".json";

    private static final Logger LOG = LoggerFactory.getLogger(HandoverSweep.class);

    private final Path folder;
    private final String session;
    private final Living living;
    private final InstantSource clock;

    /**
     * Whose file it is.
     *
     * @param actor the actor's name
     * @param namespace Ray's namespace of the name
     * @param session Ray's session on the node, which tells clusters apart
     */
    record Who(String actor, String namespace, String session) {}

    /** Knows the actors of this cluster. */
    interface Living {
        /** The id of the actor that has a name now, be it that it is replaced at the moment. */
        Optional<String> id(String actor, String namespace);
    }

    /**
     * Deletes nothing yet.
     *
     * @param session Ray's session of this cluster on this node
     */
    HandoverSweep(Path folder, String session, Living living, InstantSource clock) {
        this.folder = folder;
        this.session = session;
        this.living = living;
        this.clock = clock;
    }

    /** Looks at all that lies there once. */
    void run() {
        for (Path file : list("*" + SUFFIX)) {
            try {
                String name = file.getFileName().toString();
                String actorId = name.substring(0, name.length() - SUFFIX.length());
                if (isOver(file, actorId)) {
                    LOG.info("Deleting what the worker of actor {} left for a successor", actorId);
                    Files.deleteIfExists(file);
                    Files.deleteIfExists(file.resolveSibling(name + ".new"));
                }
            } catch (IOException | RuntimeException e) {
                LOG.warn("Cannot tell whether {} is still needed: {}", file, e.toString());
            }
        }
    }

    private boolean isOver(Path file, String actorId) throws IOException {
        Who who = ProtocolJson.read(
                ProtocolJson.tree(Files.readString(file)).path(WHO).toString(), Who.class);
        if (who.session().equals(session)) {
            return !living.id(who.actor(), who.namespace())
                    .filter(actorId::equals)
                    .isPresent();
        }
        Instant oldest = clock.instant().minus(FORGOTTEN);
        return Files.getLastModifiedTime(file).toInstant().isBefore(oldest);
    }

    private List<Path> list(String pattern) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, pattern)) {
            files.forEach(found::add);
        } catch (IOException e) {
            LOG.debug("Cannot list {}", folder, e);
        }
        return found;
    }
}
