/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;

/**
 * A folder in which all users of a machine have the same lock files. Any of them may have put anything there, so no link is followed
 * and nothing may be read from these files or written to them: a lock is all that they are for. Safe for use by many threads.
 *
 * @param parent a folder that is there
 * @param name the folder's name in it
 */
public record SharedFolder(Path parent, String name) {
    private static final int FOR_ALL_AND_STICKY = 01777;

    /** The folder. */
    Path path() {
        return parent.resolve(name);
    }

    /**
     * Opens a lock file. The folder and the file are made when they are missing.
     *
     * @throws IOException when the folder or the file cannot be used, or is a link
     */
    FileChannel open(String file) throws IOException {
        make(path());
        try (DirectoryStream<Path> above = Files.newDirectoryStream(parent)) {
            if (!(above instanceof SecureDirectoryStream<Path> secure)) {
                throw new IOException("this system cannot open files of a folder without following links");
            }
            try (SecureDirectoryStream<Path> folder =
                    secure.newDirectoryStream(Path.of(name), LinkOption.NOFOLLOW_LINKS)) {
                return open(folder, Path.of(file));
            }
        }
    }

    private static void make(Path folder) throws IOException {
        if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            Files.createDirectory(folder);
            Files.setAttribute(folder, "unix:mode", FOR_ALL_AND_STICKY);
        } catch (FileAlreadyExistsException e) {
            // Another process was faster.
        }
    }

    private static FileChannel open(SecureDirectoryStream<Path> folder, Path name) throws IOException {
        try {
            // To open a pipe would wait until it has a reader.
            if (!folder.getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .readAttributes()
                    .isRegularFile()) {
                throw new IOException(name + " is no regular file");
            }
            // Where all users may write, some kernels refuse to open another user's file in a way that could make it.
            return channel(folder, name, StandardOpenOption.WRITE);
        } catch (NoSuchFileException missing) {
            try {
                FileChannel made = channel(folder, name, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
                folder.getFileAttributeView(name, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                        .setPermissions(PosixFilePermissions.fromString("rw-rw-rw-"));
                return made;
            } catch (FileAlreadyExistsException e) {
                return channel(folder, name, StandardOpenOption.WRITE);
            }
        }
    }

    private static FileChannel channel(SecureDirectoryStream<Path> folder, Path name, StandardOpenOption... options)
            throws IOException {
        Set<OpenOption> all = new HashSet<>(Set.of(options));
        all.add(LinkOption.NOFOLLOW_LINKS);
        return (FileChannel) folder.newByteChannel(name, all);
    }
}
