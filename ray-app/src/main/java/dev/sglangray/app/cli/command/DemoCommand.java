/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.Fleet;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchContext;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.EnvironmentException;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.show.FleetReport;
import dev.sglangray.app.cli.show.FleetWatch;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.bridge.NodeDirectories;
import dev.sglangray.bridge.PythonPackage;
import dev.sglangray.bridge.PythonProbe;
import dev.sglangray.bridge.TinyModel;
import dev.sglangray.config.Config;
import dev.sglangray.config.ConfigLoader;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.ray.RayClusterReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sglang-ray demo}: the whole way from a configuration to an answer, on this machine alone. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        header = "Start a small fleet here, send it a prompt, and end it.",
        description = {
            "Start a Ray head, real SGLang engines and a real router on this machine, send one prompt through the",
            "router's URL, print the answer, and shut everything down.",
            "",
            "Uses a tiny model that is made on the spot, and the configuration conf/demo.yaml. Without a GPU the head",
            "declares as many accelerators as there are engines, and the engines compute on the CPU.",
            ""
        })
public final class DemoCommand implements Callable<Integer> {
    private static final Duration MODEL_DEADLINE = Duration.ofMinutes(5);
    private static final Duration PROBE_DEADLINE = Duration.ofMinutes(1);
    private static final Duration ANSWER = Duration.ofMinutes(5);

    private final CliContext context;

    @Option(
            names = {"--engines"},
            paramLabel = "N",
            converter = OptionValues.Positive.class,
            defaultValue = "2",
            description = "How many engines. Default: ${DEFAULT-VALUE}. One needs about 4 GB of memory on a CPU.")
    private int engines = 2;

    @Option(
            names = {"--prompt"},
            paramLabel = "TEXT",
            defaultValue = "Once upon a time",
            description = "What to send. Default: \"${DEFAULT-VALUE}\"")
    private String prompt = "Once upon a time";

    @Option(
            names = {"--model"},
            paramLabel = "PATH",
            converter = OptionValues.Text.class,
            description = "A model to use instead of the tiny one.")
    private @Nullable String model;

    @Option(
            names = {"--keep"},
            description = "Go on serving until Ctrl-C.")
    private boolean keep;

    DemoCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        String python = context.launcher().requirePython();
        Path conf = context.launcher()
                .conf()
                .map(folder -> folder.resolve("demo.yaml"))
                .orElseThrow(() -> new EnvironmentException("conf/demo.yaml is not beside the script sglang-ray"));
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), false)) {
            Path packageFolder = PythonPackage.extract();
            PythonProbe probe = new PythonProbe(packageFolder);
            probe.requireSglang(python, PROBE_DEADLINE);
            int accelerators = probe.accelerators(python, PROBE_DEADLINE);
            int possible = enginesOn(accelerators, engines);
            if (possible < engines) {
                progress.line("this machine has " + possible + " accelerator(s): " + possible + " engine(s) instead of "
                        + engines);
            }
            try (CliSession cli =
                    CliSession.beginLocal(context, RaySession.DEFAULT_NAMESPACE, OptionalInt.of(possible))) {
                Config root = ConfigLoader.builder()
                        .configFile(conf)
                        .environment(context.environment())
                        .overrides(overrides(model(packageFolder, python), accelerators))
                        .load();
                context.console().hide(root.secretValues());
                FleetSpec spec = FleetSpec.of(root);
                run(spec, cli.connect(progress), python, progress);
            }
            progress.line("ended; nothing is left running.");
        }
        return ExitCode.OK;
    }

    private void run(FleetSpec spec, RaySession session, String python, ProgressDisplay progress) {
        LaunchOptions options =
                LaunchOptions.builder().pythonInterpreter(python).build();
        Cluster nodes = spec.cluster(RayClusterReader.read());
        try (Fleet fleet = SGLangLauncher.launch(spec, nodes, options, LaunchContext.of(progress))) {
            FleetReport.of(session.namespace(), fleet).print(context.console(), false, progress.phases());
            String text = GenerateCommand.generate(
                            context.environment(),
                            fleet.apiUrl(),
                            prompt,
                            Map.of("max_new_tokens", 24, "temperature", 0),
                            ANSWER)
                    .text();
            context.console().result("prompt     " + prompt);
            context.console().result("answer     " + text.strip());
            if (keep) {
                progress.line("Ctrl-C ends the fleet.");
                new FleetWatch(fleet, progress).untilInterruptedOrLost();
            }
            progress.line("ending the fleet ...");
        }
    }

    /** One engine takes one accelerator; without any, the head pretends to have as many as are wanted. */
    static int enginesOn(int accelerators, int wanted) {
        return accelerators == 0 ? wanted : Math.min(accelerators, wanted);
    }

    /** An engine computes on the processor only where its arguments say so. */
    static List<String> overrides(String model, int accelerators) {
        String path = "router_server_args.model_path=" + quoted(model);
        return accelerators > 0 ? List.of(path) : List.of(path, "+router_server_args.server.device=cpu");
    }

    private String model(Path packageFolder, String python) {
        return model != null
                ? model
                : TinyModel.prepare(
                                packageFolder, python, NodeDirectories.base().resolve("tiny-model"), MODEL_DEADLINE)
                        .toString();
    }

    private static String quoted(String path) {
        return "'" + path.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
