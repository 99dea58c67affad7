/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right to one TCP port of this node among all who ask {@link PortAllocator}. Held by a file lock, so it ends with
 * {@link #close()} or with the JVM, whichever comes first. Safe for use by many threads.
 */
public final class PortLease implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PortLease.class);

    private final int port;
    private final Path lockFile;
    private final FileChannel channel;
    private final Set<Path> held;

    PortLease(int port, Path lockFile, FileChannel channel, Set<Path> held) {
        this.port = port;
        this.lockFile = lockFile;
        this.channel = channel;
        this.held = held;
    }

    /** The port, 1 to 65535. */
    public int port() {
        return port;
    }

    /** Gives the port back. Calling it again does nothing. */
    @Override
    public synchronized void close() {
        if (!channel.isOpen()) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("Releasing {}: {}", lockFile, e.getMessage());
        } finally {
            held.remove(lockFile);
        }
    }

    @Override
    public String toString() {
        return "PortLease[" + port + "]";
    }
}
