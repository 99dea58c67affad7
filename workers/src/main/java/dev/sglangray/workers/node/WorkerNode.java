/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The node that a worker runs on, as Ray knows it.
 *
 * @param nodeId Ray's id
 * @param ip what other nodes reach it by: an address without brackets, or a name
 * @param devices numbers of the accelerators that Ray gave this worker, in order
 * @param logDirectory where logs go
 */
public record WorkerNode(String nodeId, String ip, List<String> devices, Path logDirectory) {
    private static final Set<String> WILDCARDS = Set.of("0.0.0.0", "::", "[::]", "*");

    public WorkerNode {
        devices = List.copyOf(devices);
    }

    /** What others put into a URL for a server that binds this host: the node's address unless it binds one only. */
    public String advertisedHost(String bindHost) {
        return bracketed(WILDCARDS.contains(bindHost) ? ip : bindHost);
    }

    /**
     * What the router takes for a host to bind, which is the text of a socket address: an address, with brackets around one of
     * version 6; a name is replaced by its first address.
     *
     * @throws WorkerFailure when this node does not know the name
     */
    public static String socketHost(String bindHost) {
        try {
            boolean name = bindHost.indexOf(':') < 0;
            return bracketed(name ? InetAddress.getByName(bindHost).getHostAddress() : bindHost);
        } catch (UnknownHostException e) {
            throw new WorkerFailure("the host to bind is '" + bindHost + "', which this node does not know");
        }
    }

    /** A host as in a URL: an IPv6 address in brackets. */
    public static String bracketed(String host) {
        return host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    /** The name of the network interface that has this node's address; empty where none has it, as behind a proxy. */
    public Optional<String> networkInterface() {
        try {
            return Optional.ofNullable(NetworkInterface.getByInetAddress(InetAddress.getByName(ip)))
                    .map(NetworkInterface::getName);
        } catch (UnknownHostException | SocketException e) {
            return Optional.empty();
        }
    }

    /**
     * Where to bind by default: all interfaces of the address family that the node advertises.
     *
     * @throws WorkerFailure when Ray knows the node by a name that the node itself does not know
     */
    public String defaultBindHost() {
        try {
            return InetAddress.getByName(ip) instanceof Inet6Address ? "::" : "0.0.0.0";
        } catch (UnknownHostException e) {
            throw new WorkerFailure("Ray knows this node as '" + ip + "', a name that leads to no address here");
        }
    }
}
