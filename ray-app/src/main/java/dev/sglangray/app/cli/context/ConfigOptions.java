/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.bridge.SchemaKind;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which configuration, and what in it is the fleet. */
public final class ConfigOptions extends ComposeOptions {
    @Option(
            names = {"--component"},
            paramLabel = "NAME",
            converter = OptionValues.Text.class,
            description = {
                "The key under cluster.component_placement that says where the engines run.",
                "Default: the only key there, else rollout."
            })
    private @Nullable String component;

    @Option(
            names = {"--args-key"},
            paramLabel = "KEY",
            converter = OptionValues.Text.class,
            description = {
                "The dotted key of the block with server and router arguments.",
                "Default: router_server_args, else the only block with a server or router block in it."
            })
    private @Nullable String argsKey;

    @Option(
            names = {"--explicit-placement"},
            description = {
                "Place engines exactly as the component's placement says (resource ranks and process ranks),",
                "instead of packing its accelerators into engines of tp_size x pp_size."
            })
    private boolean explicitPlacement;

    @Option(
            names = {"--router-node-rank"},
            paramLabel = "RANK",
            converter = OptionValues.NotNegative.class,
            defaultValue = "0",
            description = "The node of the router. Default: ${DEFAULT-VALUE}, the head.")
    private int routerNodeRank;

    @Option(
            names = {"--python"},
            paramLabel = "PATH",
            converter = OptionValues.Text.class,
            description = {
                "The Python with sglang and sglang-router on the nodes, where a node group names none.",
                "Default: the Python that this command uses."
            })
    private @Nullable String python;

    public Optional<String> component() {
        return Optional.ofNullable(component);
    }

    public Optional<String> argsKey() {
        return Optional.ofNullable(argsKey);
    }

    public boolean explicitPlacement() {
        return explicitPlacement;
    }

    public int routerNodeRank() {
        return routerNodeRank;
    }

    /** The Python of the nodes: the one named here, else this command's own. */
    public String pythonOr(Launcher launcher) {
        return python == null ? launcher.requirePython() : python;
    }

    /** Whether the Python was named here, and so has to be usable. */
    public boolean pythonIsNamed() {
        return python != null;
    }

    /** The arguments to compare with: of the Python named, which must answer, else of this command's own as far as it can. */
    public ArgumentSchemas.Found schema(SchemaKind kind, Launcher launcher) {
        return python == null
                ? ArgumentSchemas.find(kind, launcher.python().orElse(null))
                : ArgumentSchemas.require(kind, python);
    }

    /** As {@link #pythonOr}, but a command without any Python gets none. */
    public Optional<String> pythonIfKnown(Launcher launcher) {
        return Optional.ofNullable(python).or(launcher::python);
    }
}
