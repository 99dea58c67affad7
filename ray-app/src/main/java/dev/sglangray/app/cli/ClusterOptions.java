/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.session.RaySession;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which Ray cluster. */
final class ClusterOptions {
    @Option(
            names = {"--address"},
            paramLabel = "HOST:PORT",
            description = {
                "The Ray cluster, as `ray start --head` printed it. Default: the variable RAY_ADDRESS,",
                "which `ray job submit` sets. This machine must be one of its nodes."
            })
    private @Nullable String address;

    @Option(
            names = {"--local"},
            description = {
                "Start a Ray head on this machine that ends with this command.",
                "A cluster that runs here already is left alone."
            })
    private boolean local;

    @Option(
            names = {"--accelerators"},
            paramLabel = "N",
            defaultValue = "-1",
            showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER,
            description = "With --local: how many accelerators the head declares. Default: as many as Ray counts.")
    private int accelerators;

    @Option(
            names = {"--namespace"},
            paramLabel = "NAME",
            defaultValue = RaySession.DEFAULT_NAMESPACE,
            description = "The Ray namespace of the fleet's actors and placement group. Default: ${DEFAULT-VALUE}")
    private String namespace = RaySession.DEFAULT_NAMESPACE;

    Optional<String> address() {
        return Optional.ofNullable(address);
    }

    boolean local() {
        return local;
    }

    int accelerators() {
        return accelerators;
    }

    String namespace() {
        return namespace;
    }
}
