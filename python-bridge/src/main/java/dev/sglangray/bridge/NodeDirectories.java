/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;

/**
 * Where this program keeps what belongs to one node and one user: the extracted Python package, port locks, records for
 * successors. Never on a network file system by default, because the locks mean this machine only.
 *
 * <p>Code is run from there, so a folder that another user could have filled is refused and never repaired.
 */
public final class NodeDirectories {
    private static final String VARIABLE = "SGLANG_RAY_NODE_DIR";
    private static final int WRITABLE_BY_OTHERS = 0022;
    private static final int WRITABLE_BY_ALL = 0002;
    private static final int STICKY = 01000;

    private NodeDirectories() {}

    /**
     * The folder, made on first use and closed to other users: the variable {@code SGLANG_RAY_NODE_DIR}, else
     * {@code sglang-ray-<uid>} in the system's folder for temporary files. All processes of a user on a node must agree on
     * it, so it follows neither the session nor the job.
     *
     * @throws NodeFilesException when it cannot be made, or is not this user's alone
     */
    public static Path base() {
        String chosen = System.getenv(VARIABLE);
        String folder = chosen == null || chosen.isBlank()
                ? System.getProperty("java.io.tmpdir", "/tmp") + "/sglang-ray-" + userId()
                : chosen;
        try {
            return ours(Path.of(folder).toAbsolutePath());
        } catch (InvalidPathException | IOException e) {
            throw new NodeFilesException(
                    "the folder " + folder + " cannot be used: " + why(e) + "\nSet " + VARIABLE
                            + " to a folder on a local disk that only this user may write.",
                    e);
        }
    }

    /** The effective user of this process, by number: not every user has a name. */
    public static int userId() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("Uid:")) {
                    return Integer.parseUnsignedInt(line.split("\\s+", -1)[2]);
                }
            }
            throw new IOException("it has no line 'Uid'");
        } catch (IOException e) {
            throw new NodeFilesException("/proc/self/status does not tell this process's user: " + why(e), e);
        }
    }

    /**
     * Makes a folder that only this user can write, unless it is there.
     *
     * @throws IOException when it cannot be made or others may have written there
     */
    static Path ours(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
        requireOurs(folder);
        Path parent = folder.getParent();
        if (parent != null) {
            int mode = number(parent.toRealPath(), "mode");
            if ((mode & WRITABLE_BY_ALL) != 0 && (mode & STICKY) == 0) {
                throw new IOException("every user may replace it, because " + parent + " has mode " + octal(mode)
                        + " (chmod +t " + parent + " forbids that)");
            }
        }
        return folder;
    }

    private static void requireOurs(Path folder) throws IOException {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(
                    Files.isSymbolicLink(folder) ? "it is a symbolic link, not a folder" : "it is not a folder");
        }
        int owner = number(folder, "uid");
        int mode = number(folder, "mode");
        if (owner != userId()) {
            throw new IOException("it belongs to user " + Integer.toUnsignedString(owner)
                    + ", and this process runs as " + Integer.toUnsignedString(userId()));
        }
        if ((mode & WRITABLE_BY_OTHERS) != 0) {
            throw new IOException("other users may write there (mode " + octal(mode) + ")");
        }
        if (!Files.isWritable(folder)) {
            throw new IOException("this user may not write there (mode " + octal(mode) + ")");
        }
    }

    private static int number(Path file, String attribute) throws IOException {
        return ((Number) Files.getAttribute(file, "unix:" + attribute, LinkOption.NOFOLLOW_LINKS)).intValue();
    }

    private static String octal(int mode) {
        return String.format(Locale.ROOT, "%04o", mode & 07777);
    }

    /** The reason of a failure, in words. The exceptions of files often have a path as their only text. */
    static String why(Exception failure) {
        if (failure instanceof FileSystemException e && e.getReason() == null) {
            return switch (e.getClass().getSimpleName()) {
                case "AccessDeniedException" -> "no permission for " + e.getFile();
                case "FileAlreadyExistsException" -> e.getFile() + " is not a folder";
                case "NoSuchFileException" -> "there is no " + e.getFile();
                default -> e.getClass().getSimpleName() + " " + e.getFile();
            };
        }
        return String.valueOf(failure.getMessage());
    }
}
