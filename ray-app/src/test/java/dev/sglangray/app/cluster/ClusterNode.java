/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * One node of a test cluster.
 *
 * @param index its place in the cluster, 0 for the head
 * @param name its host name
 * @param ip its address
 * @param holder the id, outside, of the process that holds the node's namespaces
 * @param network the identity of its network namespace
 */
public record ClusterNode(int index, String name, String ip, long holder, String network) {

    /** A file of the node, as seen from this JVM: {@code /tmp} differs from node to node. */
    public Path file(String path) {
        return Path.of("/proc/" + holder + "/root").resolve(path.substring(1));
    }

    /** TCP ports on which something listens in this node. */
    public SortedSet<Integer> listeningPorts() {
        SortedSet<Integer> ports = new TreeSet<>();
        for (String table : new String[] {"net/tcp", "net/tcp6"}) {
            try {
                Files.readAllLines(Path.of("/proc/" + holder, table)).stream()
                        .skip(1)
                        .map(line -> line.strip().split("\\s+"))
                        .filter(columns -> columns[3].equals("0A"))
                        .forEach(columns ->
                                ports.add(Integer.parseInt(columns[1].substring(columns[1].lastIndexOf(':') + 1), 16)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return ports;
    }
}
