/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.ClusterOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.placement.cluster.ClusterFile;
import dev.sglangray.placement.ray.RayClusterReader;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sglang-ray cluster}: the cluster as a file. */
@Command(
        name = "cluster",
        mixinStandardHelpOptions = true,
        header = "Print a Ray cluster as a YAML file.",
        description = {
            "Print the nodes of a Ray cluster, with their ranks, accelerators, resources and labels, as a YAML file",
            "that `sglang-ray plan --cluster FILE` reads.",
            ""
        })
public final class ClusterCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    ClusterCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), false);
                CliSession cli = CliSession.begin(context, cluster)) {
            cli.connect(progress);
            context.console().result(ClusterFile.write(RayClusterReader.read()).stripTrailing());
        }
        return ExitCode.OK;
    }
}
