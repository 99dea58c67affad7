/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.ComposeOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.show.Paths;
import dev.sglangray.app.cli.show.TreeJson;
import dev.sglangray.app.cli.show.TreeText;
import dev.sglangray.config.Config;
import dev.sglangray.config.TreeView;
import dev.sglangray.config.error.ConfigProblem;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray config show}: the resolved tree with the origin of each value. */
@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        header = "Print the composed and resolved configuration.",
        description = {
            "Print the composed and resolved configuration as YAML, each value with where it was written and what led there.",
            "Values of keys that look secret, and what comes from them, are hidden. Exits with 2 when a value cannot be",
            "resolved; it is shown as written.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  sglang-ray config show -c my.yaml",
            "  sglang-ray config show --config-path conf --config-name serve --key router_server_args.server"
        })
public final class ConfigShowCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private ComposeOptions config = new ComposeOptions();

    @Option(
            names = {"--key"},
            paramLabel = "KEY",
            converter = OptionValues.Text.class,
            description = "Only what stands below this dotted key.")
    private @Nullable String key;

    @Option(
            names = {"--json"},
            description =
                    "Print one line of JSON: the tree under \"config\", the origins by dotted key under \"origins\".")
    private boolean json;

    ConfigShowCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        Config root = config.loader(context.environment()).load();
        context.console().hide(root.secretValues());
        TreeView view = TreeView.of(key == null ? root : root.require(key));
        context.console().result(json ? TreeJson.of(view) : TreeText.of(view));
        view.problems().stream().map(ConfigProblem::render).map(Paths::shorten).forEach(context.console()::say);
        return view.problems().isEmpty() ? ExitCode.OK : ExitCode.USAGE;
    }
}
