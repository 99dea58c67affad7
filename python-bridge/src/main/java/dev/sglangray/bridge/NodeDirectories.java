/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Where this program keeps what belongs to one node and one user: the extracted Python package, port locks, cached
 * schemas. Never on a network file system by default, because the locks mean this machine only.
 */
public final class NodeDirectories {
    private static final String VARIABLE = "SGLANG_RAY_NODE_DIR";

    private NodeDirectories() {}

    /**
     * The folder, made on first use and closed to other users: the variable {@code SGLANG_RAY_NODE_DIR}, else
     * {@code sglang-ray-<user>} in the system's folder for temporary files.
     *
     * @throws UncheckedIOException when it cannot be made, or belongs to somebody else
     */
    public static Path base() {
        String chosen = System.getenv(VARIABLE);
        Path folder = chosen == null || chosen.isBlank()
                ? Path.of(System.getProperty("java.io.tmpdir"), "sglang-ray-" + System.getProperty("user.name"))
                : Path.of(chosen);
        try {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            if (Files.isSymbolicLink(folder)
                    || !Files.isWritable(folder)
                    || !Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException("it is not a writable folder of this user");
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot use the folder " + folder + " (" + e.getMessage() + "). Set " + VARIABLE
                            + " to a folder on a local disk that this user may write.",
                    e);
        }
    }
}
