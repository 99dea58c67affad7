/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.cli.command.ClusterCommand;
import dev.sglangray.app.cli.command.CommandFactory;
import dev.sglangray.app.cli.command.CompletionCommand;
import dev.sglangray.app.cli.command.ConfigCommand;
import dev.sglangray.app.cli.command.DashboardCommand;
import dev.sglangray.app.cli.command.DemoCommand;
import dev.sglangray.app.cli.command.DownCommand;
import dev.sglangray.app.cli.command.EventsCommand;
import dev.sglangray.app.cli.command.GenerateCommand;
import dev.sglangray.app.cli.command.HomeCommand;
import dev.sglangray.app.cli.command.LogsCommand;
import dev.sglangray.app.cli.command.PlanCommand;
import dev.sglangray.app.cli.command.ReplaceRouterCommand;
import dev.sglangray.app.cli.command.RestartCommand;
import dev.sglangray.app.cli.command.RunCommand;
import dev.sglangray.app.cli.command.ScaleCommand;
import dev.sglangray.app.cli.command.StatusCommand;
import dev.sglangray.app.cli.command.TopCommand;
import dev.sglangray.app.cli.command.UpCommand;
import dev.sglangray.app.cli.command.ValidateCommand;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.Launcher;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.context.SignalHandlers;
import dev.sglangray.app.cli.show.Console;
import dev.sglangray.app.cli.show.Console.LogFormat;
import dev.sglangray.config.error.Secrets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;

/** The command line: picocli's tree of commands, and one place where failures become words and exit codes. */
@Command(
        name = "sglang-ray",
        mixinStandardHelpOptions = true,
        versionProvider = SglangRay.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        description = {"SGLang engines and their router on a Ray cluster, from one configuration to one URL.", ""},
        subcommands = {
            UpCommand.class,
            ValidateCommand.class,
            PlanCommand.class,
            ClusterCommand.class,
            StatusCommand.class,
            EventsCommand.class,
            LogsCommand.class,
            TopCommand.class,
            DashboardCommand.class,
            RestartCommand.class,
            ScaleCommand.class,
            ReplaceRouterCommand.class,
            GenerateCommand.class,
            DownCommand.class,
            ConfigCommand.class,
            DemoCommand.class,
            RunCommand.class,
            HomeCommand.class,
            CompletionCommand.class,
            CommandLine.HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the launch, the request or the clean-up failed",
            "2:the command line or the configuration is wrong; nothing was started",
            "3:the environment cannot do it (cluster, Python, Ray's version); nothing was started",
            "4:the fleet was up and is gone, though this command was not asked to end it",
            "130:ended by Ctrl-C (143 by SIGTERM)"
        },
        footerHeading = "%nTo begin:%n",
        footer = {
            "  sglang-ray demo                                two engines and a router on this machine, no GPU needed",
            "  sglang-ray validate -c my.yaml                 every problem of it, without a cluster",
            "  sglang-ray plan --address HOST:6379 -c my.yaml where everything would go",
            "  sglang-ray up   --address HOST:6379 -c my.yaml launch it; Ctrl-C ends it",
            "  ray job submit --address http://HOST:8265 --working-dir DIST -- bash sglang-ray up -c my.yaml"
        })
public final class SglangRay {
    /** As the option, where it is not given. */
    static final String LOG_FORMAT = "SGLANG_RAY_LOG_FORMAT";
    /** Where log4j2.xml looks. */
    private static final String LOG4J_FORMAT = "sglangray.logformat";

    @Option(
            names = {"--log-format"},
            paramLabel = "FORMAT",
            scope = ScopeType.INHERIT,
            converter = OptionValues.Format.class,
            description = {
                "How messages on standard error are written: 'text', or 'json' for one object a line. Default: $"
                        + LOG_FORMAT + ", else text"
            })
    private @Nullable LogFormat logFormat;

    private SglangRay() {}

    /** The program. */
    public static void main(String[] arguments) {
        // Messages are English: a number in them is written as programs write it, whatever the user's language.
        Locale.setDefault(Locale.ROOT);
        Console console = Console.takeOver();
        SignalHandlers interrupts = SignalHandlers.interrupting(Thread.currentThread());
        int code =
                run(new CliContext(console, interrupts, Launcher.fromSystemProperties(), System.getenv()), arguments);
        // Not System.exit: Ray's shutdown hook and log4j's would run once more and print; everything is closed by now.
        interrupts.halt(code);
    }

    public static int run(CliContext context, String... arguments) {
        // What is secret in a word may come back in a message about it.
        context.console().hide(Secrets.valuesIn(Map.of("words", List.of(arguments))));
        CommandLine line = commandLine(context);
        if (arguments.length == 0) {
            line.usage(line.getOut());
            return ExitCode.USAGE;
        }
        return line.execute(arguments);
    }

    /** The tree of commands, not run yet. */
    public static CommandLine commandLine(CliContext context) {
        SglangRay program = new SglangRay();
        CommandLine line = new CommandLine(program, new CommandFactory(context));
        line.setExecutionStrategy(parsed -> {
            context.console().logAs(program.format(context.environment(), line));
            return new CommandLine.RunLast().execute(parsed);
        });
        line.setOut(context.console().resultWriter());
        line.setErr(context.console().messageWriter());
        line.setUsageHelpWidth(110);
        line.setUsageHelpAutoWidth(false);
        // A prompt or an override may begin with @; it names no file of arguments.
        line.setExpandAtFiles(false);
        line.setParameterExceptionHandler(new UsageErrors());
        line.setExecutionExceptionHandler(new FailureHandler(context.console()));
        return line;
    }

    private LogFormat format(Map<String, String> environment, CommandLine line) {
        LogFormat format = logFormat;
        if (format == null) {
            String variable = environment.getOrDefault(LOG_FORMAT, "");
            try {
                format = variable.isEmpty() ? LogFormat.TEXT : new OptionValues.Format().convert(variable);
            } catch (TypeConversionException wrong) {
                throw new ParameterException(line, LOG_FORMAT + ": " + wrong.getMessage());
            }
        }
        System.setProperty(LOG4J_FORMAT, format.name().toLowerCase(Locale.ROOT));
        return format;
    }

    /** The version of the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = SglangRay.class.getPackage().getImplementationVersion();
            return new String[] {"sglang-ray " + (version == null ? "(development)" : version)};
        }
    }
}
