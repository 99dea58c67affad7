/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.bridge.ClusterFacts;
import dev.sglangray.bridge.PythonException;
import dev.sglangray.bridge.PythonPackage;
import dev.sglangray.bridge.PythonProbe;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Checks what must be true before Ray's Java runtime may connect, because that runtime ends the process natively, or
 * after a minute, when it is not: the cluster answers, its Ray is supported and the very one of this driver, and this
 * machine is one of its nodes.
 */
public final class ClusterPreflight {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration PROBE = Duration.ofSeconds(60);

    private final String python;
    private final Path packageFolder;

    /** Uses a Python that has ray; {@code python} is a path or a name on PATH. */
    public ClusterPreflight(String python) {
        this.python = python;
        this.packageFolder = PythonPackage.extract();
    }

    /**
     * Checks the Ray of this driver's Python.
     *
     * @return its version
     * @throws SessionException when it has none, or one that is not supported
     */
    public RayVersion requireSupportedDriver() {
        String version = new PythonProbe(packageFolder).versions(python, PROBE).ray();
        if (version == null) {
            throw new SessionException("the Python " + python
                    + " has no ray\nInstall it there: pip install 'ray[default]==" + RayVersion.NEWEST + "'");
        }
        RayVersion driver = RayVersion.parse(version);
        driver.requireSupported("the Ray of " + python);
        return driver;
    }

    /**
     * Checks a cluster.
     *
     * @return the address under which the cluster knows this machine
     * @throws SessionException when it does not answer, its Ray does not fit, or this machine is no node of it
     */
    public String requireJoinable(RayAddress address) {
        RayVersion driver = requireSupportedDriver();
        address.requireReachable(CONNECT);
        ClusterFacts facts = ask(address);
        if (facts.rayVersion() != null) {
            RayVersion cluster = RayVersion.parse(facts.rayVersion());
            cluster.requireSupported("the cluster at " + address);
            if (!cluster.equals(driver)) {
                throw new SessionException(
                        "the cluster at " + address + " runs Ray " + cluster + ", but this driver's Python ("
                                + python + ") has Ray " + driver
                                + "\nThey must be the same: set SGLANG_RAY_PYTHON to the Python that this machine's raylet runs in.");
            }
        }
        return thisNode(facts.nodeAddresses(), localAddresses())
                .orElseThrow(
                        () -> new SessionException(
                                "this machine is not a node of the cluster at " + address
                                        + ", whose nodes are " + String.join(", ", facts.nodeAddresses())
                                        + "\nA Java driver needs a raylet beside it: run this on a node, or submit it as a job (ray job submit)."));
    }

    /** The node that has one of these addresses, whether Ray knows it by an address in any form or by a name. */
    static Optional<String> thisNode(List<String> nodes, Set<InetAddress> local) {
        // Addresses first: they need no name service.
        return Stream.of(true, false)
                .flatMap(literal -> nodes.stream().filter(node -> isAddress(node) == literal))
                .filter(node -> isHere(node, local))
                .findFirst();
    }

    private static boolean isAddress(String node) {
        return node.indexOf(':') >= 0 || node.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
    }

    private static boolean isHere(String node, Set<InetAddress> local) {
        try {
            // A name that leads to a loopback address is one that this machine has given itself.
            return Arrays.stream(InetAddress.getAllByName(node))
                    .anyMatch(address -> local.contains(address) || (address.isLoopbackAddress() && !isAddress(node)));
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private ClusterFacts ask(RayAddress address) {
        try {
            return ClusterFacts.ask(packageFolder, python, address.toString(), PROBE);
        } catch (PythonException e) {
            throw new SessionException(
                    "what listens at " + address + " does not answer as a Ray cluster does\n" + e.getMessage(), e);
        }
    }

    private static Set<InetAddress> localAddresses() {
        try {
            Set<InetAddress> addresses = new HashSet<>();
            for (NetworkInterface card : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                addresses.addAll(Collections.list(card.getInetAddresses()));
            }
            return addresses;
        } catch (SocketException e) {
            throw new SessionException("the addresses of this machine cannot be listed", e);
        }
    }
}
