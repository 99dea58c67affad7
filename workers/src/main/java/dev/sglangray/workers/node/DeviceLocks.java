/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets one engine at a time start on an accelerator of this node, however many workers, fleets, jobs and users want to: SGLang takes
 * its memory by what is free before and after it loads its weights, which another engine's start would spoil. Each accelerator has a
 * file of this user, which tells who holds it, and one that all users share. The locks on them are the kernel's, so that they end
 * with the process that holds them. A process has one of these. Safe for use by many threads.
 */
public final class DeviceLocks {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceLocks.class);
    /** The same for all users, whatever their variables. */
    public static final SharedFolder SHARED = new SharedFolder(Path.of("/tmp"), "sglang-ray-devices");

    private static final Duration LOOK = Duration.ofMillis(100);

    private static final int LONGEST_NAME = 300;

    private static final String OTHER_USER = "an engine of another user";

    private final Path folder;
    private final SharedFolder shared;
    /** The kernel keeps such locks per process, so a second look from the same JVM must never open the file. */
    private final Set<Path> ours = ConcurrentHashMap.newKeySet();

    /**
     * With these folders.
     *
     * @param folder this user's own
     * @param shared that of all users of the machine
     */
    public DeviceLocks(Path folder, SharedFolder shared) {
        this.folder = folder.toAbsolutePath().normalize();
        this.shared = shared;
    }

    /** Accelerators that are held until this is closed. */
    public final class Held implements AutoCloseable {
        private final List<Path> files = new ArrayList<>();
        private final List<FileChannel> channels = new ArrayList<>();

        @Override
        public void close() {
            channels.forEach(DeviceLocks::closeQuietly);
            files.forEach(ours::remove);
            channels.clear();
            files.clear();
        }
    }

    /**
     * Waits for accelerators, always in the same order, so that two who want several never wait for each other.
     *
     * @param devices their ids, as Ray has them
     * @param who the name that waiting engines see meanwhile
     * @param patience how long one other may hold an accelerator; the time begins again with the next one. After that time an engine of
     *     another user is not waited for any more
     * @param abort ends the wait when it is complete
     * @param waiting gets the holder that it waits for, whenever that changes, and null when it waits no more
     * @throws WorkerFailure when the patience is over, the wait was aborted or the thread interrupted, whose flag stays
     */
    public Held acquire(
            Collection<String> devices,
            String who,
            Duration patience,
            CompletableFuture<?> abort,
            Consumer<@Nullable String> waiting) {
        Held held = new Held();
        boolean all = false;
        try {
            for (String device : devices.stream().distinct().sorted(order()).toList()) {
                await(held, device, who, patience, abort, waiting);
            }
            all = true;
            return held;
        } finally {
            waiting.accept(null);
            if (!all) {
                held.close();
            }
        }
    }

    /** Numbers by their size, as all workers see them. */
    private static Comparator<String> order() {
        return Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());
    }

    private void await(
            Held held,
            String device,
            String who,
            Duration patience,
            CompletableFuture<?> abort,
            Consumer<@Nullable String> waiting) {
        String name = "device-" + device.replaceAll("[^A-Za-z0-9_.-]", "_") + ".lock";
        Path file = folder.resolve(name);
        String holder = "";
        Deadline deadline = Deadline.in(patience);
        boolean withOthers = true;
        for (String now = tryLock(held, name, who, withOthers);
                now != null;
                now = tryLock(held, name, who, withOthers)) {
            if (!now.equals(holder)) {
                holder = now;
                deadline = Deadline.in(patience);
                waiting.accept("waits for accelerator " + device + ", on which " + holder + " is being started");
            }
            if (deadline.isOver() && holder.equals(OTHER_USER) && withOthers) {
                // Any program may hold that lock for ever, and must not forbid a start by it.
                LOG.warn(
                        "{} has accelerator {} for {}; this engine starts all the same",
                        holder,
                        device,
                        deadline.text());
                withOthers = false;
                continue;
            }
            if (deadline.isOver()) {
                throw new WorkerFailure("accelerator " + device + " was not free for a start within " + deadline.text()
                        + ": " + holder + " is being started on it (" + file + ")");
            }
            pause(abort);
        }
    }

    /** Null when it is ours now, else who has it. */
    private @Nullable String tryLock(Held held, String name, String who, boolean withOthers) {
        Path file = folder.resolve(name);
        if (!ours.add(file)) {
            return "another engine of this process";
        }
        FileChannel channel = null;
        FileChannel common = null;
        boolean kept = false;
        try {
            Files.createDirectories(folder);
            channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ);
            FileLock lock = channel.tryLock();
            if (lock == null) {
                return holder(channel);
            }
            common = withOthers ? openShared(name) : null;
            if (common != null && common.tryLock() == null) {
                return OTHER_USER;
            }
            // By this channel only: closing another one on the file would drop the lock.
            channel.truncate(0);
            String holder = who + " (process " + ProcessHandle.current().pid() + ")";
            channel.write(ByteBuffer.wrap(holder.getBytes(StandardCharsets.UTF_8)), 0);
            held.files.add(file);
            held.channels.add(channel);
            if (common != null) {
                held.channels.add(common);
            }
            kept = true;
            return null;
        } catch (IOException e) {
            throw new WorkerFailure("cannot lock " + file + ": " + e.getMessage());
        } finally {
            if (!kept) {
                closeQuietly(common);
                closeQuietly(channel);
                ours.remove(file);
            }
        }
    }

    /** Null when what is there cannot be used: another user must not be able to forbid a start by that. */
    private @Nullable FileChannel openShared(String name) {
        try {
            return shared.open(name);
        } catch (IOException e) {
            LOG.warn(
                    "engines of other users may start on the same accelerator meanwhile: cannot use {}: {}",
                    shared.path(),
                    e.toString());
            return null;
        }
    }

    private static String holder(FileChannel channel) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(LONGEST_NAME);
        int length = channel.read(text, 0);
        return length <= 0 ? "another engine" : new String(text.array(), 0, length, StandardCharsets.UTF_8);
    }

    private static void pause(CompletableFuture<?> abort) {
        try {
            abort.get(LOOK.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return;
        } catch (ExecutionException e) {
            throw new IllegalStateException("This future never fails.", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the wait for an accelerator was interrupted");
        }
        throw WorkerFailure.abortedStart("engine");
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException ignored) {
            // Nothing is locked that the kernel would not release.
        }
    }
}
