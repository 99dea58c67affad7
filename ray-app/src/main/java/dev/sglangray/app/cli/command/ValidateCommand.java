/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.app.FleetCheck;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.ConfigOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.UsageException;
import dev.sglangray.app.cli.show.ProblemReport;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.CheckedConfig;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.NearestName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray validate}: lists every problem of a configuration, without a cluster. */
@Command(
        name = "validate",
        mixinStandardHelpOptions = true,
        header = "List every problem of a configuration.",
        description = {
            "List every problem of a configuration at once: each error and warning with file, line and column,",
            "how it came there, and a fix where one is known. Needs no cluster and starts nothing.",
            "",
            "Arguments are compared with the SGLang and the router of the Python in use (--python, SGLANG_RAY_PYTHON),",
            "where it has none with the tested versions, or with releases that need not be installed (--target). Exits with 0",
            "only when a launch could start on a cluster that is large enough; `sglang-ray plan` looks at a real one.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  sglang-ray validate -c my.yaml",
            "  sglang-ray validate --config-path conf --config-name serve --json rollout.server.tp_size=4",
            "  sglang-ray validate -c my.yaml --target sglang==0.5.12.post1 --target sglang-router==0.3.2"
        })
public final class ValidateCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private ConfigOptions config = new ConfigOptions();

    @Option(
            names = {"--target"},
            paramLabel = "PACKAGE==VERSION",
            description = {
                "A release to compare with, as sglang==VERSION, sglang-router==VERSION or smg==VERSION, in the place of what is installed;",
                "may be given for each of them."
            })
    private List<String> targets = List.of();

    @Option(
            names = {"--json"},
            description = "Print one line of JSON.")
    private boolean json;

    ValidateCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Map<String, String> releases = releases();
        CheckedConfig checked = config.loader(context.environment()).check();
        checked.config().ifPresent(root -> context.console().hide(root.secretValues()));
        FleetCheck.Result result = checked.config()
                .map(root -> check(root, checked, releases))
                .orElse(new FleetCheck.Result(checked.problems(), List.<ArgumentSchemas.Found>of()));
        ProblemReport report = new ProblemReport(result);
        context.console().result(json ? report.json() : report.text());
        return FleetCheck.hasErrors(result.problems()) ? ExitCode.USAGE : ExitCode.OK;
    }

    private FleetCheck.Result check(Config root, CheckedConfig checked, Map<String, String> releases) {
        return FleetCheck.of(
                root,
                checked.problems(),
                config.selection(),
                config.launchOptions(context.launcher()).routerNodeRank(),
                wanted -> {
                    SchemaKind kind = installed(wanted, releases);
                    return releases.containsKey(kind.packageName())
                            ? ArgumentSchemas.released(kind, releases.get(kind.packageName()))
                            : config.schema(kind, context.launcher());
                });
    }

    /** A router whose type is not said is the one that is a target. */
    private static SchemaKind installed(SchemaKind wanted, Map<String, String> releases) {
        boolean smg = wanted == SchemaKind.ROUTER
                && !releases.containsKey(SchemaKind.ROUTER.packageName())
                && releases.containsKey(SchemaKind.SMG.packageName());
        return smg ? SchemaKind.SMG : wanted;
    }

    private Map<String, String> releases() {
        Map<String, String> releases = new HashMap<>();
        List<String> packages =
                List.of(SchemaKind.SERVER.packageName(), SchemaKind.ROUTER.packageName(), SchemaKind.SMG.packageName());
        for (String target : targets) {
            String[] parts = target.split("==", -1);
            if (parts.length != 2 || parts[1].isBlank() || !packages.contains(parts[0])) {
                String fix = NearestName.didYouMean(parts[0], packages);
                throw new UsageException("--target takes sglang==VERSION, sglang-router==VERSION or smg==VERSION, not '"
                        + target + "'"
                        + (parts.length != 2 || packages.contains(parts[0]) || fix.isEmpty() ? "" : "; " + fix));
            }
            if (releases.put(parts[0], parts[1].strip()) != null) {
                throw new UsageException("--target is given twice for " + parts[0]);
            }
        }
        return releases;
    }
}
