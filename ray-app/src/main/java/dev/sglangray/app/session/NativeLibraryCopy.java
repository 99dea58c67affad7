/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ray's Java runtime unpacks its native library (32 to 40 MB) into a new folder {@code /tmp/ray/<milliseconds>} for
 * every driver and leaves it there. A mapped library needs its file no longer, so ours is removed at once.
 */
final class NativeLibraryCopy {
    private static final Logger log = LoggerFactory.getLogger(NativeLibraryCopy.class);
    private static final Pattern COPY = Pattern.compile("/.*/\\d{12,}/lib[A-Za-z_]+\\.so");

    private NativeLibraryCopy() {}

    /** Removes the copies that this process has mapped, with their folder when that leaves it empty. Never throws. */
    static void delete() {
        try {
            for (Path copy : mappedCopies()) {
                Files.deleteIfExists(copy);
                Path folder = copy.getParent();
                if (folder != null) {
                    deleteIfEmpty(folder);
                }
            }
        } catch (IOException e) {
            log.debug("the driver's copy of Ray's native library stays where it is", e);
        }
    }

    private static List<Path> mappedCopies() throws IOException {
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            return maps.filter(line -> line.indexOf('/') >= 0)
                    .map(line -> line.substring(line.indexOf('/')))
                    .filter(path -> COPY.matcher(path).matches())
                    .distinct()
                    .map(Path::of)
                    .collect(Collectors.toList());
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
