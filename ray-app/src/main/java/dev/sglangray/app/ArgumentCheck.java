/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.ArgumentValidator;
import dev.sglangray.config.Config;
import dev.sglangray.config.LauncherArgs;
import dev.sglangray.config.ServerType;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import java.util.ArrayList;
import java.util.List;

/**
 * The {@code server} and {@code router} blocks against what the SGLang and the router in use accept, before anything is
 * started. RLinf finds such errors only inside its actors, when accelerators are taken already.
 */
public final class ArgumentCheck {
    // Java's own logger: a plan for a cluster in a file is made without Ray, and so without its slf4j.
    private static final System.Logger LOG = System.getLogger(ArgumentCheck.class.getName());

    private final List<ConfigProblem> problems;

    private ArgumentCheck(List<ConfigProblem> problems) {
        this.problems = List.copyOf(problems);
    }

    /**
     * Checks the blocks that are in use.
     *
     * @param block the launcher's block, for positions
     * @param arguments the same, bound
     */
    public static ArgumentCheck of(Config block, LauncherArgs arguments, LaunchOptions options) {
        List<ConfigProblem> problems = new ArrayList<>();
        // The arguments of embodied servers are another class, of the diffusion extra, which is rarely at hand here.
        if (arguments.launchServer() && arguments.serverType() == ServerType.SRT) {
            check(block, "server", SchemaKind.SERVER, options, problems);
        }
        if (arguments.launchRouter()) {
            check(block, "router", SchemaKind.ROUTER, options, problems);
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
            Config block, String key, SchemaKind kind, LaunchOptions options, List<ConfigProblem> problems) {
        block.select(key).filter(Config::isMap).ifPresent(arguments -> {
            ArgumentSchemas.Found found =
                    ArgumentSchemas.find(kind, options.pythonInterpreter().orElse(null));
            if (!found.reason().isEmpty()) {
                LOG.log(System.Logger.Level.DEBUG, "checking against {0}: {1}", found.describe(), found.reason());
            }
            problems.addAll(ArgumentValidator.validate(arguments, found.schema()));
        });
    }
}
