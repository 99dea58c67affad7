/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a process of this user holds in memory. */
public final class ProcessMemory {
    private static final int CHUNK = 1 << 20;

    private ProcessMemory() {}

    /** Whether the process holds this text anywhere in its writable memory. */
    public static boolean holds(ProcessRow process, String text) {
        byte[] wanted = text.getBytes(StandardCharsets.UTF_8);
        Path folder = Path.of("/proc", String.valueOf(process.pid()));
        try (RandomAccessFile memory =
                new RandomAccessFile(folder.resolve("mem").toFile(), "r")) {
            for (String line : Files.readAllLines(folder.resolve("maps"))) {
                String[] words = line.split(" ", -1);
                String[] ends = words[0].split("-", -1);
                if (words[1].startsWith("rw")
                        && holds(
                                memory,
                                Long.parseUnsignedLong(ends[0], 16),
                                Long.parseUnsignedLong(ends[1], 16),
                                wanted)) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean holds(RandomAccessFile memory, long begin, long end, byte[] wanted) {
        byte[] chunk = new byte[CHUNK + wanted.length];
        for (long at = begin; at < end; at += CHUNK) {
            int length = (int) Math.min(chunk.length, end - at);
            try {
                memory.seek(at);
                memory.readFully(chunk, 0, length);
            } catch (IOException e) {
                // A page that was given back meanwhile.
                continue;
            }
            if (indexOf(chunk, length, wanted) >= 0) {
                return true;
            }
        }
        return false;
    }

    private static int indexOf(byte[] text, int length, byte[] wanted) {
        for (int i = 0; i + wanted.length <= length; i++) {
            int n = 0;
            while (n < wanted.length && text[i + n] == wanted[n]) {
                n++;
            }
            if (n == wanted.length) {
                return i;
            }
        }
        return -1;
    }
}
