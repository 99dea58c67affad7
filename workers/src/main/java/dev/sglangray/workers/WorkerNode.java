/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * The node that a worker runs on, as Ray knows it.
 *
 * @param nodeId Ray's id
 * @param ip the address that other nodes use, without brackets
 * @param devices accelerator ids that Ray gave this worker, in order
 * @param logDirectory where logs go
 */
record WorkerNode(String nodeId, String ip, List<String> devices, Path logDirectory) {
    private static final Set<String> WILDCARDS = Set.of("0.0.0.0", "::", "[::]", "*");

    WorkerNode {
        devices = List.copyOf(devices);
    }

    /** What others put into a URL for a server that binds this host: the node's address unless it binds one only. */
    String advertisedHost(String bindHost) {
        return bracketed(WILDCARDS.contains(bindHost) ? ip : bindHost);
    }

    private static String bracketed(String host) {
        return host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    /** Where to bind by default: all interfaces of the address family that the node advertises. */
    String defaultBindHost() {
        return ip.indexOf(':') >= 0 ? "::" : "0.0.0.0";
    }
}
