/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.ClusterOptions;
import dev.sglangray.app.cli.context.ConfigOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.context.UsageException;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.yaml.TextFile;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterFile;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.placement.show.PlanExplainer;
import dev.sglangray.placement.show.PlanRenderer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray plan}: what a launch would do. */
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        header = "Show where engines and router would go.",
        description = {
            "Show where engines and router would go, and check everything that a launch checks. Starts nothing.",
            "The cluster is the one that runs (--address), or one that a file describes (--cluster), without any Ray.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  sglang-ray plan --address 10.0.0.1:6379 -c my.yaml",
            "  sglang-ray cluster --address 10.0.0.1:6379 > cluster.yaml",
            "  sglang-ray plan --cluster cluster.yaml -c my.yaml --explain 3"
        })
public final class PlanCommand implements Callable<Integer> {
    private static final String ROUTER = "router";

    private final CliContext context;

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = {"--cluster"},
            paramLabel = "FILE",
            converter = OptionValues.InputFile.class,
            description = {
                "Plan for the cluster that this YAML or JSON file describes; needs no Ray.",
                "`sglang-ray cluster` writes such a file."
            })
    private @Nullable Path clusterFile;

    @Option(
            names = {"--explain"},
            paramLabel = "RANK",
            description = "Say of one engine, by its rank, or of the `router`, where it goes, why, and with what.")
    private @Nullable String explain;

    @Option(
            names = {"--json"},
            description = "Print the plan as JSON, and no progress.")
    private boolean json;

    @Option(
            names = {"--timings"},
            description = "Say how long the planning took.")
    private boolean timings;

    PlanCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        OptionalInt rank = explainedRank();
        requireOneCluster();
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), json)) {
            FleetSpec spec = config.read(context);
            LaunchOptions options = config.launchOptions(context.launcher());
            List<ConfigProblem> problems = ArgumentSchemas.check(
                    spec.pools(), spec.arguments(), kind -> config.schema(kind, context.launcher()));
            ConfigException.throwIfErrors(problems);
            problems.forEach(problem -> progress.line(problem.render()));
            if (clusterFile != null) {
                LaunchOptions named =
                        options.toBuilder().namespace(cluster.namespace()).build();
                show(spec, named, cluster(clusterFile), rank, progress);
                return ExitCode.OK;
            }
            try (CliSession cli = CliSession.begin(context, cluster)) {
                cli.connect(progress);
                show(spec, options, RayClusterReader.read(), rank, progress);
            }
        }
        return ExitCode.OK;
    }

    private void show(
            FleetSpec spec,
            LaunchOptions options,
            ClusterSnapshot snapshot,
            OptionalInt rank,
            ProgressDisplay progress) {
        long begin = System.nanoTime();
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long beginCpu = threads.getCurrentThreadCpuTime();
        Cluster ranked = spec.cluster(snapshot);
        FleetPlan plan = SGLangLauncher.plan(spec, ranked, options);
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        progress.ended(LaunchPhase.PLAN, took);
        if (timings) {
            context.console()
                    .say("planned in %.3f s, %.3f s of CPU time"
                            .formatted(took.toNanos() / 1e9, (threads.getCurrentThreadCpuTime() - beginCpu) / 1e9));
        }
        if (json && explain == null) {
            writeJson(plan, ranked);
        } else {
            context.console().result(text(plan, ranked, rank).stripTrailing());
        }
    }

    private void writeJson(FleetPlan plan, Cluster ranked) {
        try (Writer out = context.console().resultLines()) {
            PlanRenderer.json(plan, ranked, out);
        } catch (IOException e) {
            throw new UncheckedIOException("the plan cannot be written to standard output", e);
        }
    }

    private String text(FleetPlan plan, Cluster ranked, OptionalInt rank) {
        if (explain == null) {
            return PlanRenderer.text(plan, ranked);
        }
        if (rank.isPresent()) {
            return json
                    ? PlanExplainer.engineJson(plan, rank.getAsInt())
                    : PlanExplainer.engine(plan, ranked, rank.getAsInt());
        }
        return json ? PlanExplainer.routerJson(plan) : PlanExplainer.router(plan, ranked);
    }

    /** The rank of the engine to explain; empty for the router, and when nothing is to be explained. */
    private OptionalInt explainedRank() {
        if (explain == null || explain.equals(ROUTER)) {
            return OptionalInt.empty();
        }
        try {
            int rank = Integer.parseInt(explain);
            if (rank >= 0) {
                return OptionalInt.of(rank);
            }
        } catch (NumberFormatException e) {
            // Said below, together with negative ranks.
        }
        throw new UsageException(
                "--explain takes an engine's rank or the word router, not '" + Secrets.inText(explain) + "'");
    }

    private void requireOneCluster() {
        if (clusterFile != null && (cluster.local() || cluster.address().isPresent())) {
            throw new UsageException(
                    "--cluster describes a cluster, and --address and --local name one: give one of them");
        }
        if (clusterFile != null
                && config.file().equals(Optional.of(clusterFile))
                && clusterFile.equals(TextFile.STANDARD_INPUT)) {
            throw new UsageException("--config and --cluster cannot both be standard input, which can be read once");
        }
    }

    private static ClusterSnapshot cluster(Path file) {
        try {
            return ClusterFile.read(file);
        } catch (ConfigException e) {
            ConfigProblem first = e.problems().get(0);
            if (first.position().line() > 0) {
                throw e;
            }
            throw new UsageException("--cluster: " + Secrets.inText(file.toString()) + ": " + first.message());
        }
    }
}
