/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One process of a test cluster, seen from outside.
 *
 * @param pid its id outside the cluster's pid namespace, where this JVM runs
 * @param innerPid its id inside
 * @param parent the id outside of its parent
 * @param state the state letter of {@code /proc/PID/stat}; Z is a zombie
 * @param network the identity of its network namespace, which tells the node
 * @param command its command line, words separated by blanks; the name in brackets if it has none
 */
public record ProcessRow(long pid, long innerPid, long parent, char state, String network, String command) {

    /** All processes whose pid namespace is that of the given process. */
    public static List<ProcessRow> inNamespaceOf(long pid) {
        Optional<String> namespace = link(pid, "ns/pid");
        List<ProcessRow> rows = new ArrayList<>();
        if (namespace.isEmpty()) {
            return rows;
        }
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path folder : folders) {
                long candidate = Long.parseLong(folder.getFileName().toString());
                if (link(candidate, "ns/pid").equals(namespace)) {
                    read(candidate).ifPresent(rows::add);
                }
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return rows;
    }

    /** The process of the given id; empty if it is gone. */
    public static Optional<ProcessRow> read(long pid) {
        Path folder = Path.of("/proc/" + pid);
        try {
            String[] innerPids = {};
            long parent = 0;
            char state = '?';
            String name = "";
            for (String line : Files.readAllLines(folder.resolve("status"))) {
                String value = line.substring(line.indexOf(':') + 1).strip();
                if (line.startsWith("NSpid:")) {
                    innerPids = value.split("\\s+");
                } else if (line.startsWith("PPid:")) {
                    parent = Long.parseLong(value);
                } else if (line.startsWith("State:")) {
                    state = value.charAt(0);
                } else if (line.startsWith("Name:")) {
                    name = value;
                }
            }
            String words = new String(Files.readAllBytes(folder.resolve("cmdline")), StandardCharsets.UTF_8)
                    .replace('\0', ' ')
                    .strip();
            long inner = innerPids.length == 0 ? pid : Long.parseLong(innerPids[innerPids.length - 1]);
            String network = link(pid, "ns/net").orElse("");
            return Optional.of(
                    new ProcessRow(pid, inner, parent, state, network, words.isEmpty() ? "[" + name + "]" : words));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    static Optional<String> link(long pid, String name) {
        try {
            return Optional.of(
                    Files.readSymbolicLink(Path.of("/proc/" + pid, name)).toString());
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    /** True for a process that has ended and only waits to be reaped. */
    public boolean isZombie() {
        return state == 'Z' || state == 'X';
    }

    @Override
    public String toString() {
        int length = command.length();
        String shown = length > 240 ? command.substring(0, 120) + " … " + command.substring(length - 120) : command;
        return "pid " + innerPid + " (" + state + ") " + shown;
    }
}
