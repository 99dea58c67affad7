/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An entry of a cluster file: a node, or so many alike, whose addresses, ranks and host names count up.
 *
 * @param ip the address of the (first) node
 * @param id Ray's id of the node, or null for one made of its address
 * @param hostname the node's name; empty when unknown
 * @param rank the rank that the node was started with, or null
 * @param count how many nodes this is, 1 or more
 * @param accelerators how many accelerators it has, or null for as many as the resources say
 * @param type their kind, or null for the one that the resources say
 * @param model their model, or null for the one that the resources say
 * @param resources Ray's resources
 * @param labels Ray's labels
 */
record ClusterFileNode(
        String ip,
        @Nullable String id,
        String hostname,
        @Nullable Integer rank,
        int count,
        @Nullable Integer accelerators,
        @Nullable AcceleratorType type,
        @Nullable String model,
        Map<String, Double> resources,
        Map<String, String> labels) {
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");

    /** Whether addresses can be counted up from this one. */
    boolean hasCountableAddress() {
        return IPV4.matcher(ip).matches();
    }

    /** The node at a place among the alike, from 0. */
    NodeSnapshot node(int index) {
        String address = index == 0 ? ip : address(index);
        Map<String, Double> all = new LinkedHashMap<>(resources);
        all.put("node:" + address, 1.0);
        if (accelerators != null && accelerators > 0) {
            AcceleratorType kind = type == null ? AcceleratorType.NV_GPU : type;
            all.put(kind.rayResource(), (double) accelerators);
        }
        NodeSnapshot seen = RayNodeDescription.snapshot(
                id == null ? "node-" + address : id,
                address,
                hostname.isEmpty() || count == 1 ? hostname : hostname + "-" + index,
                labels,
                all);
        boolean none = seen.accelerators() == 0;
        return new NodeSnapshot(
                seen.nodeId(),
                seen.ip(),
                seen.hostname(),
                seen.labels(),
                seen.resources(),
                seen.accelerators(),
                none || type == null ? seen.acceleratorType() : type,
                none || model == null ? seen.acceleratorModel() : model,
                rank == null ? seen.envNodeRank() : Integer.valueOf(rank + index));
    }

    private String address(int index) {
        try {
            BigInteger number =
                    new BigInteger(1, InetAddress.getByName(ip).getAddress()).add(BigInteger.valueOf(index));
            byte[] bytes = new byte[4];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = number.shiftRight(8 * (bytes.length - 1 - i)).byteValue();
            }
            return InetAddress.getByAddress(bytes).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalStateException("not an address: " + ip, e);
        }
    }
}
