/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.schema.EditorSchema;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sglang-ray config schema}: the JSON Schema for editors. */
@Command(
        name = "schema",
        mixinStandardHelpOptions = true,
        header = "Print the JSON Schema of configurations.",
        description = {
            "Print the JSON Schema of configurations, for editors with a YAML language server. Begin a configuration with",
            "  # yaml-language-server: $schema=PATH/sglang-ray.schema.json",
            "The one of the tested versions is conf/sglang-ray.schema.json.",
            ""
        })
public final class ConfigSchemaCommand implements Callable<Integer> {
    private final CliContext context;

    @Option(
            names = {"--python"},
            paramLabel = "PATH",
            converter = OptionValues.Text.class,
            description = "The Python whose SGLang and router are meant. Default: the tested versions.")
    private @Nullable String python;

    ConfigSchemaCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        ArgumentSchemas.Found server = ArgumentSchemas.find(SchemaKind.SERVER, python);
        ArgumentSchemas.Found embodied = ArgumentSchemas.find(SchemaKind.EMBODIED, python);
        ArgumentSchemas.Found router = ArgumentSchemas.find(SchemaKind.ROUTER, python);
        // Mostly a Python has one of the two routers, so that nothing is said of the other one.
        ArgumentSchemas.Found smg = ArgumentSchemas.find(SchemaKind.SMG, python);
        for (ArgumentSchemas.Found found : new ArgumentSchemas.Found[] {server, embodied, router}) {
            if (!found.reason().isEmpty()) {
                context.console().say("sglang-ray: " + found.describe() + " is used: " + found.reason());
            }
        }
        context.console()
                .result(EditorSchema.of(server.schema(), embodied.schema(), router.schema(), smg.schema())
                        .stripTrailing());
        return ExitCode.OK;
    }
}
