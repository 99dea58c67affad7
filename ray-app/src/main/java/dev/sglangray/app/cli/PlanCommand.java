/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.ArgumentCheck;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.placement.Cluster;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.PlanRenderer;
import dev.sglangray.placement.ray.RayClusterReader;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray plan}: what a launch would do. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description = {
            "Show where engines and router would go, and check everything that a launch checks. Starts nothing.",
            ""
        })
final class PlanCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = {"--json"},
            description = "Print the plan as JSON, and no progress.")
    private boolean json;

    PlanCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), json)) {
            FleetSpec spec = FleetInput.read(config);
            LaunchOptions.Builder options = LaunchOptions.builder()
                    .routerNodeRank(config.routerNodeRank())
                    .pythonInterpreter(config.pythonOr(context.launcher()));
            ArgumentCheck check = ArgumentCheck.of(spec.block(), spec.arguments(), options.build());
            check.throwIfWrong();
            check.problems().forEach(problem -> progress.line(problem.render()));
            try (CliSession cli = CliSession.begin(context, cluster)) {
                cli.connect(progress);
                long begin = System.nanoTime();
                Cluster ranked = spec.cluster(RayClusterReader.read());
                FleetPlan plan = spec.plan(ranked, options);
                progress.ended(LaunchPhase.PLAN, Duration.ofNanos(System.nanoTime() - begin));
                context.console().result(json ? PlanRenderer.json(plan, ranked) : PlanRenderer.text(plan, ranked));
            }
        }
        return ExitCode.OK;
    }
}
