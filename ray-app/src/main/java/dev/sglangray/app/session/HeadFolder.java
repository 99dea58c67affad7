/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.bridge.NodeDirectories;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of a local head, and the removal of those whose owner was killed. The owner holds a lock on a file with its
 * process id in it: the kernel lets go of the lock when the owner ends, and it is seen from other process namespaces, where
 * an id says nothing. Not thread-safe but for {@link #keep()}.
 */
final class HeadFolder implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(HeadFolder.class);
    // Short, because Ray puts sockets below it whose paths may have 107 bytes at most.
    private static final String PREFIX = "sgr-";
    private static final String OWNER = "owner";

    private final Path path;
    private final FileChannel owner;
    private volatile boolean keep;

    private HeadFolder(Path path, FileChannel owner) {
        this.path = path;
        this.owner = owner;
    }

    /** Makes a folder in another one, and removes from there what dead heads of this user left. */
    static HeadFolder create(Path parent) throws IOException {
        sweep(parent);
        Path path = Files.createTempDirectory(parent, PREFIX);
        // No other process sees the file by its name before it is locked.
        Path unseen = path.resolve(OWNER + ".new");
        FileChannel owner = FileChannel.open(unseen, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        owner.write(ByteBuffer.wrap(pid().getBytes(StandardCharsets.US_ASCII)));
        owner.lock();
        Files.move(unseen, path.resolve(OWNER), StandardCopyOption.ATOMIC_MOVE);
        return new HeadFolder(path, owner);
    }

    Path path() {
        return path;
    }

    /** Leaves the folder for a person to read, for ever. */
    void keep() {
        keep = true;
    }

    /** Removes the folder, unless it is to be kept. */
    @Override
    public void close() {
        try {
            if (keep) {
                Files.deleteIfExists(path.resolve(OWNER));
            } else {
                deleteTree(path);
            }
            owner.close();
        } catch (IOException e) {
            log.warn("the folder {} stays: {}", path, e.toString());
        }
    }

    private static void sweep(Path parent) {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path folder : folders) {
                sweepOne(folder);
            }
        } catch (IOException e) {
            log.debug("old folders of local heads cannot be listed: {}", e.toString());
        }
    }

    private static void sweepOne(Path folder) {
        Path file = folder.resolve(OWNER);
        try {
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                    || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                    || !Files.isWritable(file)
                    || !Files.getAttribute(folder, "unix:uid", LinkOption.NOFOLLOW_LINKS)
                            .equals(NodeDirectories.userId()) // by number: not every user has a name
                    || Files.readString(file).equals(pid())) {
                return; // not ours; and to open a file of this process again would give up its lock
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                if (channel.tryLock() != null) {
                    deleteTree(folder);
                }
            }
        } catch (IOException e) {
            log.debug("the old folder {} stays: {}", folder, e.toString());
        }
    }

    private static String pid() {
        return Long.toString(ProcessHandle.current().pid());
    }

    /** Deletes a folder with all that is in it; links are not followed. */
    static void deleteTree(Path root) throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException error) throws IOException {
                if (error != null) {
                    throw error;
                }
                Files.deleteIfExists(directory);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
