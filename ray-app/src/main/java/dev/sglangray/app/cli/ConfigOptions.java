/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which configuration, and what is changed in it. The names are Hydra's where it has them. */
final class ConfigOptions {
    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "The configuration, one YAML file.")
    private @Nullable Path file;

    @Option(
            names = {"--config-path", "--config-dir"},
            paramLabel = "DIR",
            description = "The folder of a configuration with a defaults list; used with --config-name.")
    private @Nullable Path directory;

    @Option(
            names = {"--config-name"},
            paramLabel = "NAME",
            description = "The primary configuration in that folder, with or without .yaml.")
    private @Nullable String name;

    @Option(
            names = {"--component"},
            paramLabel = "NAME",
            description = {
                "The key under cluster.component_placement that says where the engines run.",
                "Default: the only key there, else rollout."
            })
    private @Nullable String component;

    @Option(
            names = {"--args-key"},
            paramLabel = "KEY",
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
            defaultValue = "0",
            description = "The node of the router. Default: ${DEFAULT-VALUE}, the head.")
    private int routerNodeRank;

    @Option(
            names = {"--python"},
            paramLabel = "PATH",
            description = {
                "The Python with sglang and sglang-router on the nodes, where a node group names none.",
                "Default: the Python that this command uses."
            })
    private @Nullable String python;

    @Parameters(
            paramLabel = "OVERRIDE",
            arity = "0..*",
            description = "Changes to the configuration, as in Hydra: a.b=c, +a.b=c, ++a.b=c, ~a.b")
    private List<String> overrides = List.of();

    Optional<Path> file() {
        return Optional.ofNullable(file);
    }

    Optional<Path> directory() {
        return Optional.ofNullable(directory);
    }

    Optional<String> name() {
        return Optional.ofNullable(name);
    }

    Optional<String> component() {
        return Optional.ofNullable(component);
    }

    Optional<String> argsKey() {
        return Optional.ofNullable(argsKey);
    }

    boolean explicitPlacement() {
        return explicitPlacement;
    }

    int routerNodeRank() {
        return routerNodeRank;
    }

    /** The Python of the nodes: the one named here, else this command's own. */
    String pythonOr(Launcher launcher) {
        return python == null ? launcher.requirePython() : python;
    }

    /** As {@link #pythonOr}, but a command without any Python gets none. */
    Optional<String> pythonIfKnown(Launcher launcher) {
        return Optional.ofNullable(python).or(launcher::python);
    }

    List<String> overrides() {
        return List.copyOf(overrides);
    }
}
