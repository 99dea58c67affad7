/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ray's Java runtime unpacks its native library (32 to 40 MB) into a new folder {@code /tmp/ray/<milliseconds>} for
 * every driver and leaves it there. A mapped library needs its file no longer, so ours is removed at once.
 */
final class NativeLibraryCopy {
    private static final Logger log = LoggerFactory.getLogger(NativeLibraryCopy.class);
    private static final Path FOLDERS = Path.of("/tmp/ray");
    private static final Pattern COPY = Pattern.compile("(/.*)/(\\d{13})/libcore_worker_library_java\\.so");

    private NativeLibraryCopy() {}

    /** Removes the copy that this process has mapped, with its folder when that leaves it empty. Never throws. */
    static void delete() {
        try {
            Path folders = FOLDERS.toRealPath();
            long began = ManagementFactory.getRuntimeMXBean().getStartTime();
            for (Path copy : mapped()) {
                if (isCopyOf(copy, folders, began)) {
                    Files.deleteIfExists(copy);
                    Path folder = copy.getParent();
                    if (folder != null) {
                        deleteIfEmpty(folder);
                    }
                }
            }
        } catch (IOException e) {
            log.debug("the driver's copy of Ray's native library stays where it is", e);
        }
    }

    /**
     * Whether Ray made this library for a process.
     *
     * @param library what the process has mapped
     * @param folders where Ray makes its folders
     * @param began when the process began, in milliseconds since the epoch
     */
    static boolean isCopyOf(Path library, Path folders, long began) {
        Matcher parts = COPY.matcher(library.toString());
        return parts.matches() && Path.of(parts.group(1)).equals(folders) && Long.parseLong(parts.group(2)) >= began;
    }

    private static List<Path> mapped() throws IOException {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(line -> line.indexOf('/') >= 0)
                    .map(line -> Path.of(line.substring(line.indexOf('/'))))
                    .distinct()
                    .toList();
        }
    }

    private static void deleteIfEmpty(Path folder) throws IOException {
        try {
            Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            log.debug("{} holds something else too", folder);
        }
    }
}
