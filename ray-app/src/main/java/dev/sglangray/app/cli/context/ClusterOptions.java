/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.session.RayAddress;
import dev.sglangray.app.session.RaySession;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which Ray cluster. */
public final class ClusterOptions {
    @Option(
            names = {"--address"},
            paramLabel = "HOST:PORT",
            converter = OptionValues.Address.class,
            description = {
                "The Ray cluster, as `ray start --head` printed it. Default: the variable RAY_ADDRESS,",
                "which `ray job submit` sets. This machine must be one of its nodes."
            })
    private @Nullable RayAddress address;

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
            converter = OptionValues.Accelerators.class,
            description = "With --local: how many accelerators the head declares. Default: as many as Ray counts.")
    private @Nullable Integer accelerators;

    @Option(
            names = {"--namespace"},
            paramLabel = "NAME",
            converter = OptionValues.Name.class,
            defaultValue = RaySession.DEFAULT_NAMESPACE,
            description = "The Ray namespace of the fleet's actors and placement group. Default: ${DEFAULT-VALUE}")
    private String namespace = RaySession.DEFAULT_NAMESPACE;

    public Optional<RayAddress> address() {
        return Optional.ofNullable(address);
    }

    public boolean local() {
        return local;
    }

    OptionalInt accelerators() {
        return accelerators == null ? OptionalInt.empty() : OptionalInt.of(accelerators);
    }

    public String namespace() {
        return namespace;
    }
}
