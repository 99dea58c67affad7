/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.bridge.NodeDirectories;
import io.ray.runtime.util.JniUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/**
 * Ray's native library (32 to 40 MB), loaded from a folder of our own before Ray does it. Ray would unpack it for every driver
 * into {@code /tmp/ray/<milliseconds>}, where every user may write and where it stays.
 */
final class NativeLibrary {
    private static final String NAME = "core_worker_library_java";

    private NativeLibrary() {}

    /**
     * Loads it, unless this JVM has it. A mapped library needs its file no longer, so nothing is left on the disk.
     *
     * @throws SessionException when it cannot be loaded
     */
    static void load() {
        load(NodeDirectories.base());
    }

    static void load(Path parent) {
        try {
            Path folder = Files.createTempDirectory(parent, "native-");
            try {
                JniUtils.loadLibrary(folder.toString(), NAME, true);
            } finally {
                HeadFolder.deleteTree(folder);
            }
        } catch (IOException | RuntimeException | LinkageError e) {
            throw new SessionException(
                    "Ray's native library cannot be loaded from " + parent + ": " + reason(e)
                            + "\nSGLANG_RAY_NODE_DIR names another folder: 50 MB, on a file system that allows execution.",
                    e);
        }
    }

    /** What is looked for elsewhere in vain comes after the first lines. */
    private static String reason(Throwable failure) {
        return String.valueOf(failure.getMessage()).lines().limit(2).collect(Collectors.joining(" "));
    }
}
