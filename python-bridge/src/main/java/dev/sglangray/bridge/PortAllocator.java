/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Gives out TCP ports of this node, none of them twice, however many JVMs ask: each port has a file in one folder, and a
 * lock on it for the life of the lease. A port is given only after a listening socket could be opened on all interfaces.
 *
 * <p>The lock does not keep strangers out: between the check and the child's own bind a program that knows nothing of us
 * may take the port, so the caller that starts the child must be ready to try again. Safe for use by many threads.
 */
public final class PortAllocator {
    /** SGLang derives its gRPC port as its HTTP port plus 10000, which must stay below 65536. RLinf has the same bound. */
    public static final int MAX_SGLANG_HTTP_PORT = 55535;

    /** Below what Linux gives to outgoing connections (32768 and up) and above what Ray gives to its workers. */
    private static final int DEFAULT_MIN = 20000;

    private static final int DEFAULT_MAX = 29999;

    /**
     * The lock files that this JVM holds. The kernel keeps such locks per process and drops all of them on a file when the
     * process closes any channel on it, so a second look from the same JVM must never open the file. Hence per JVM.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final int min;
    private final int max;

    /** Where the next search begins, as an offset in the range. */
    private final AtomicInteger next;

    /** Ports 20000 to 29999, locks in this node's own folder. */
    public PortAllocator() {
        this(NodeDirectories.base().resolve("ports"), DEFAULT_MIN, DEFAULT_MAX);
    }

    /**
     * Chooses the folder of the locks and the range of ports.
     *
     * @param folder on a local disk, shared by all who ask on this node
     * @param min lowest port, 1 to 65535
     * @param max highest port, not below {@code min}
     */
    public PortAllocator(Path folder, int min, int max) {
        if (min < 1 || max > 65535 || min > max) {
            throw new IllegalArgumentException("Not a range of ports: " + min + " to " + max);
        }
        this.folder = folder.toAbsolutePath().normalize();
        this.min = min;
        this.max = max;
        next = new AtomicInteger(ThreadLocalRandom.current().nextInt(max - min + 1));
    }

    /**
     * Any free port of the range. The search begins after the port that was given last, so a port that was just lost
     * to another program is not given out again before the rest of the range.
     *
     * @throws PortUnavailableException when the whole range is taken
     */
    public PortLease acquire() {
        int count = max - min + 1;
        int first = next.get();
        for (int i = 0; i < count; i++) {
            int offset = (first + i) % count;
            Optional<PortLease> lease = tryAcquire(min + offset);
            if (lease.isPresent()) {
                next.set((offset + 1) % count);
                return lease.get();
            }
        }
        throw new PortUnavailableException("All ports from " + min + " to " + max + " of this node are taken.");
    }

    /**
     * Free ports in a row, for a program that derives further ports from one. Ascending.
     *
     * @param count how many, 1 or more
     * @throws PortUnavailableException when the range has not so many in a row
     */
    public List<PortLease> acquireRun(int count) {
        int range = max - min + 1;
        int first = next.get();
        List<PortLease> run = new ArrayList<>();
        for (int i = 0; i < range + count && run.size() < count; i++) {
            int offset = (first + i) % range;
            Optional<PortLease> lease = tryAcquire(min + offset);
            // A run does not go over the end of the range.
            if (lease.isEmpty() || (offset == 0 && !run.isEmpty())) {
                run.forEach(PortLease::close);
                run.clear();
            }
            lease.ifPresent(run::add);
        }
        if (run.size() < count) {
            run.forEach(PortLease::close);
            throw new PortUnavailableException(
                    "There are no " + count + " free ports in a row from " + min + " to " + max + " of this node.");
        }
        next.set((run.get(count - 1).port() - min + 1) % range);
        return List.copyOf(run);
    }

    /**
     * This very port, for a person who chose it.
     *
     * @throws PortUnavailableException when another program has it; the message names the holder where it can be known
     */
    public PortLease acquire(int port) {
        if (port < 1 || port > 65535) {
            throw new PortUnavailableException("Port " + port + " is out of range; allowed are 1 to 65535.");
        }
        return tryAcquire(port)
                .orElseThrow(() -> new PortUnavailableException("Port " + port
                        + " of this node is taken by "
                        + ListeningProcess.describe(port).orElse("a process that cannot be seen from here")
                        + ". Choose another port, or leave it unset (null) to have a free one chosen."));
    }

    private Optional<PortLease> tryAcquire(int port) {
        Path file = folder.resolve(port + ".lock");
        if (!HELD.add(file)) {
            return Optional.empty();
        }
        FileChannel channel = null;
        boolean kept = false;
        try {
            Files.createDirectories(folder);
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock == null || !isFree(port)) {
                return Optional.empty();
            }
            kept = true;
            return Optional.of(new PortLease(port, file, channel, HELD));
        } catch (IOException e) {
            throw new PortUnavailableException("Cannot lock " + file + ": " + e.getMessage(), e);
        } finally {
            if (!kept) {
                closeQuietly(channel);
                HELD.remove(file);
            }
        }
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException ignored) {
            // Nothing was locked that the kernel would not release.
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            // Left-overs in TIME_WAIT hinder no server; a listener does, in spite of this option.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress("0.0.0.0", port), 1);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
