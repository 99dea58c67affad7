/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.app.FleetCheck;
import dev.sglangray.config.CheckedConfig;
import dev.sglangray.config.Config;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray validate}: all that is wrong with a configuration, without a cluster. */
@Command(
        name = "validate",
        mixinStandardHelpOptions = true,
        description = {
            "Say all that is wrong with a configuration, at once: every error and warning with file, line and column,",
            "how it came there, and a fix where one is known. Needs no cluster and starts nothing.",
            "",
            "Arguments are compared with the SGLang and the router of the Python in use (--python, SGLANG_RAY_PYTHON),",
            "where it has none with the tested versions. Exits with 0 only when a launch could start on a cluster that is",
            "large enough; `sglang-ray plan` looks at a real one.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  sglang-ray validate -c my.yaml",
            "  sglang-ray validate --config-path conf --config-name serve --json rollout.server.tp_size=4"
        })
final class ValidateCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(
            names = {"--json"},
            description = "Print one line of JSON.")
    private boolean json;

    ValidateCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        CheckedConfig checked = FleetInput.loader(config, context.environment()).check();
        checked.config().ifPresent(root -> context.console().hide(root.secretValues()));
        FleetCheck.Result result = checked.config()
                .map(root -> check(root, checked))
                .orElse(new FleetCheck.Result(checked.problems(), List.<ArgumentSchemas.Found>of()));
        ProblemReport report = new ProblemReport(result);
        context.console().result(json ? report.json() : report.text());
        return FleetCheck.hasErrors(result.problems()) ? ExitCode.USAGE : ExitCode.OK;
    }

    private FleetCheck.Result check(Config root, CheckedConfig checked) {
        return FleetCheck.of(
                root,
                checked.problems(),
                new FleetCheck.Request(
                        config.component().orElse(null),
                        config.argsKey().orElse(null),
                        config.explicitPlacement(),
                        config.routerNodeRank(),
                        config.pythonIfKnown(context.launcher()).orElse(null),
                        config.pythonIsNamed()));
    }
}
