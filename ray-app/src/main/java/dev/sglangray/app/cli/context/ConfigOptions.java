/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.app.FleetSelection;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which configuration, and what in it is the fleet. */
public class ConfigOptions extends ComposeOptions {
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
            names = {"--python"},
            paramLabel = "PATH",
            converter = OptionValues.Text.class,
            description = {
                "The Python with sglang and the router on the nodes, where a node group names none.",
                "Default: the Python that this command uses."
            })
    private @Nullable String python;

    /** Filled by the options of this class and of those that extend it. */
    final LaunchOptions.Builder launch = LaunchOptions.builder();

    @Option(
            names = {"--router-node-rank"},
            paramLabel = "RANK",
            converter = OptionValues.NotNegative.class,
            defaultValue = "0",
            description = "The node of the router. Default: ${DEFAULT-VALUE}, the head.")
    void routerNodeRank(int rank) {
        launch.routerNodeRank(rank);
    }

    /**
     * Composes the configuration and binds it. Its secrets are hidden on the console from here on.
     *
     * @throws UsageException when the options name no configuration, or two
     * @throws ConfigException when the configuration is wrong
     */
    public FleetSpec read(CliContext context) {
        Config root = loader(context.environment()).load();
        context.console().hide(root.secretValues());
        try {
            return FleetSpec.of(root, selection());
        } catch (ConfigException e) {
            throw new ConfigException(e.problems().stream().map(root::explain).toList());
        }
    }

    /** What in the configuration is the fleet. */
    public FleetSelection selection() {
        return new FleetSelection(component, argsKey, explicitPlacement);
    }

    /** What the command line says of the launch; the Python of the nodes is the one named here, else this command's own, if it has one. */
    public LaunchOptions launchOptions(Launcher launcher) {
        return launch.pythonInterpreter(python == null ? launcher.python().orElse(null) : python)
                .build();
    }

    /** The arguments to compare with: of the Python named, which must answer, else of this command's own as far as it can. */
    public ArgumentSchemas.Found schema(SchemaKind kind, Launcher launcher) {
        return python == null
                ? ArgumentSchemas.find(kind, launcher.python().orElse(null))
                : ArgumentSchemas.require(kind, python);
    }
}
