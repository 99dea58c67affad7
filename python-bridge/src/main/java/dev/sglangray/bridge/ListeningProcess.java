/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Who listens on a TCP port of this machine, as far as {@code /proc} tells this user.
 *
 * @param pid the process
 * @param command the first words of its command line, never all of it: later words may be secrets
 */
public record ListeningProcess(long pid, String command) {
    private static final Path PROC = Path.of("/proc");
    private static final String LISTENING = "0A";
    private static final int WORDS = 3;

    /** Words for a person: {@code process 4711 (python -m sglang.launch_server)}. */
    public String describe() {
        return "process " + pid + (command.isEmpty() ? "" : " (" + command + ")");
    }

    /**
     * Who listens on the port, in words; empty when no process is seen to. Of another user's process the kernel only tells the
     * user.
     */
    public static Optional<String> describe(int port) {
        return stranger(PROC, port, holder -> false);
    }

    /**
     * Who listens on the port instead of us, in words; empty when this process does, or no process is seen to. A listener whose process
     * cannot be seen is not ours, because our own can be.
     *
     * @param ours whether a process that listens there is ours
     */
    public static Optional<String> stranger(int port, Predicate<ListeningProcess> ours) {
        return stranger(PROC, port, ours);
    }

    static Optional<String> stranger(Path proc, int port, Predicate<ListeningProcess> ours) {
        Map<String, String> sockets = listening(proc, port);
        if (sockets.isEmpty()) {
            return Optional.empty();
        }
        List<ListeningProcess> holders = holders(proc, sockets.keySet());
        if (holders.stream().anyMatch(ours)) {
            return Optional.empty();
        }
        return Optional.of(
                holders.isEmpty()
                        ? "a process of the user " + sockets.values().iterator().next()
                                + " that cannot be seen from here"
                        : holders.get(0).describe());
    }

    /** All processes seen that hold one of these sockets: a server and its forked children, say. */
    private static List<ListeningProcess> holders(Path proc, Set<String> sockets) {
        List<ListeningProcess> holders = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
            for (Path process : processes) {
                if (holds(process, sockets)) {
                    holders.add(new ListeningProcess(
                            Long.parseLong(process.getFileName().toString()), commandOf(process)));
                }
            }
        } catch (IOException e) {
            // No /proc, no answer.
        }
        return holders;
    }

    /** Whether a process is the given one or descends from it, by {@code /proc}. */
    public boolean descendsFrom(long ancestor) {
        return ProcessHandle.of(pid)
                .map(handle -> {
                    for (Optional<ProcessHandle> h = Optional.of(handle);
                            h.isPresent();
                            h = h.get().parent()) {
                        if (h.get().pid() == ancestor) {
                            return true;
                        }
                    }
                    return false;
                })
                .orElse(false);
    }

    /** The sockets that listen on the port, and the users that made them, by number. */
    private static Map<String, String> listening(Path proc, int port) {
        Map<String, String> found = new LinkedHashMap<>();
        String suffix = String.format(Locale.ROOT, ":%04X", port);
        for (String table : List.of("net/tcp", "net/tcp6")) {
            try {
                for (String line : Files.readAllLines(proc.resolve(table))) {
                    String[] words = line.trim().split("\\s+", -1);
                    if (words.length > 9 && words[1].endsWith(suffix) && words[3].equals(LISTENING)) {
                        found.put("socket:[" + words[9] + "]", words[7]);
                    }
                }
            } catch (IOException e) {
                // Not Linux, or no IPv6.
            }
        }
        return found;
    }

    private static boolean holds(Path process, Set<String> sockets) {
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : descriptors) {
                if (sockets.contains(linkOf(descriptor))) {
                    return true;
                }
            }
        } catch (IOException e) {
            // Gone meanwhile, or another user's.
        }
        return false;
    }

    private static String linkOf(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static String commandOf(Path process) {
        try {
            String line = Files.readString(process.resolve("cmdline"), StandardCharsets.UTF_8);
            String[] words = line.split("\0", -1);
            return String.join(" ", List.of(words).subList(0, Math.min(WORDS, words.length)));
        } catch (IOException e) {
            return "";
        }
    }
}
