/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.session.ProgramFiles;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.launcher.LauncherArgs;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The {@code server} and {@code router} blocks against what the SGLang and the router in use accept, before anything is
 * started. RLinf finds such errors only inside its actors, when accelerators are taken already.
 */
public final class ArgumentCheck {
    private final List<ConfigProblem> problems;

    private ArgumentCheck(List<ConfigProblem> problems) {
        this.problems = List.copyOf(problems);
    }

    /**
     * Checks the blocks that are in use, against the Python of the options, else this program's.
     *
     * @param block the launcher's block, for positions
     * @param arguments the same, bound
     */
    public static ArgumentCheck of(Config block, LauncherArgs arguments, LaunchOptions options) {
        String python = options.pythonInterpreter().orElseGet(ProgramFiles::defaultPython);
        return against(block, arguments, kind -> ArgumentSchemas.find(kind, python));
    }

    /** As above, against schemas of the caller's choice. */
    public static ArgumentCheck against(
            Config block, LauncherArgs arguments, Function<SchemaKind, ArgumentSchemas.Found> schemas) {
        List<ConfigProblem> problems = new ArrayList<>();
        if (arguments.launchServer()) {
            check(block, "server", ArgumentSchemas.kind(arguments.serverType()), schemas, problems);
        }
        if (arguments.launchRouter()) {
            check(block, "router", SchemaKind.ROUTER, schemas, problems);
        }
        return new ArgumentCheck(problems);
    }

    /** All that was found, warnings too. */
    public List<ConfigProblem> problems() {
        return problems;
    }

    /**
     * Refuses a block with errors in it.
     *
     * @throws ConfigException with all of them
     */
    public void throwIfWrong() {
        ConfigException.throwIfErrors(problems);
    }

    private static void check(
            Config block,
            String key,
            SchemaKind kind,
            Function<SchemaKind, ArgumentSchemas.Found> schemas,
            List<ConfigProblem> problems) {
        block.select(key)
                .filter(Config::isMap)
                .ifPresent(arguments -> problems.addAll(schemas.apply(kind).check(arguments)));
    }
}
