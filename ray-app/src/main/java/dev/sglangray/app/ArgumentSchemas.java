/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.bridge.PythonException;
import dev.sglangray.bridge.PythonPackage;
import dev.sglangray.bridge.SchemaDump;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.Config;
import dev.sglangray.config.argument.ArgumentHistory;
import dev.sglangray.config.argument.ArgumentSchema;
import dev.sglangray.config.argument.ArgumentValidator;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Severity;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.config.launcher.RouterType;
import dev.sglangray.config.launcher.ServerType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The arguments to check against: those of the SGLang and the router that a Python has, or of a release that is named, else
 * those of the versions that this program was tested with. The Python at hand here need not be the one of the engines' nodes, but it mostly is; where
 * there is none, the tested versions are better than no check.
 */
public final class ArgumentSchemas {
    private static final Duration DEADLINE = Duration.ofMinutes(3);

    private static final SourcePosition TARGET = new SourcePosition("--target", 0, 0);

    private ArgumentSchemas() {}

    /**
     * A schema, and where it is from.
     *
     * @param schema the arguments
     * @param python the Python whose packages they were read from; null for those that travel with this program
     * @param named whether they are of a release that was named, rather than of the tested one
     * @param reason why the Python named was not used; empty when it was, or none was named
     */
    public record Found(ArgumentSchema schema, @Nullable String python, boolean named, String reason) {
        /** For people: package, version and origin. */
        public String describe() {
            String from = named ? "as released" : python == null ? "as bundled with sglang-ray" : "of " + python;
            return schema.packageName() + " " + schema.version() + " " + from;
        }

        private boolean isGuessed() {
            return python == null && !named;
        }

        /**
         * What keeps a block from being used. A key that is unknown here is only a warning when the arguments are not those
         * of the engine's own Python, whose version may have it; why that one was not asked is a warning too.
         */
        public List<ConfigProblem> check(Config block) {
            return check(block, isGuessed() ? Severity.WARNING : Severity.ERROR, "");
        }

        /**
         * What is wrong with a block as far as is known here: as {@link #check}, but a key that the tested version does not
         * have is an error where no other Python was asked.
         */
        public List<ConfigProblem> checkStrictly(Config block) {
            String otherVersion = isGuessed() ? "when the version in use has it, name its Python: --python PATH" : "";
            return check(block, Severity.ERROR, otherVersion);
        }

        private List<ConfigProblem> check(Config block, Severity unknownKeys, String advice) {
            List<ConfigProblem> problems = new ArrayList<>();
            if (!reason.isEmpty()) {
                problems.add(block.warning("is compared with " + describe() + ": " + reason));
            }
            problems.addAll(ArgumentValidator.validate(block, schema, unknownKeys, advice));
            return problems;
        }
    }

    /**
     * The blocks {@code server} of each pool and {@code router} that are in use, against what their SGLang and router accept, before
     * anything is started. RLinf finds such errors only inside its actors, when accelerators are taken already.
     *
     * @param pools the fleet's pools
     * @param arguments the launcher's block
     * @param schemas finds what to compare with
     * @return errors and warnings
     */
    public static List<ConfigProblem> check(
            List<EnginePool> pools, LauncherArgs arguments, Function<SchemaKind, Found> schemas) {
        Set<ConfigProblem> problems = new LinkedHashSet<>();
        for (EnginePool pool : pools) {
            check(pool.arguments().server().config(), kind(pool.arguments().serverType()), schemas)
                    .forEach(problem -> problems.add(pool.own(problem)));
        }
        if (arguments.launchRouter()) {
            problems.addAll(check(arguments.router().config(), kind(arguments.routerType()), schemas));
        }
        return List.copyOf(problems);
    }

    private static List<ConfigProblem> check(
            Optional<Config> block, SchemaKind kind, Function<SchemaKind, Found> schemas) {
        return block.filter(Config::isMap)
                .map(given -> schemas.apply(kind).check(given))
                .orElse(List.of());
    }

    /** Whose arguments an engine takes. */
    public static SchemaKind kind(ServerType type) {
        return switch (type) {
            case SRT -> SchemaKind.SERVER;
            case EMBODIED -> SchemaKind.EMBODIED;
        };
    }

    /** Whose arguments a router takes; null for the router that is installed. */
    public static SchemaKind kind(@Nullable RouterType type) {
        return type == RouterType.SMG ? SchemaKind.SMG : SchemaKind.ROUTER;
    }

    /**
     * Finds the schema. Reading an unknown version of SGLang takes tens of seconds, once.
     *
     * @param python an interpreter, or null for none
     */
    public static Found find(SchemaKind kind, @Nullable String python) {
        String reason = "";
        if (python != null) {
            try {
                return require(kind, python);
            } catch (PythonException e) {
                reason = String.valueOf(e.getMessage());
            }
        }
        return new Found(SchemaDump.schema(SchemaDump.bundled(kind)), null, false, reason);
    }

    /**
     * The schema of one Python, and of no other.
     *
     * @throws PythonException when that Python cannot be used
     */
    public static Found require(SchemaKind kind, String python) {
        String dump = new SchemaDump(PythonPackage.extract()).dump(python, kind, DEADLINE);
        return new Found(SchemaDump.schema(dump), python, false, "");
    }

    /**
     * The schema of a release, whether it is installed anywhere or not.
     *
     * @throws ConfigException when that release is not known, with those that are
     */
    public static Found released(SchemaKind kind, String version) {
        ArgumentHistory history = SchemaDump.history(kind);
        ArgumentSchema schema = history.schema(version).orElseThrow(() -> {
            String owner = kind.packageName() + " " + version;
            String missing = kind == SchemaKind.EMBODIED ? "has no embodied engines that are known" : "is not known";
            return new ConfigException(ConfigProblem.error(TARGET, "", owner + " " + missing)
                    .withFix("the nearest is " + history.nearest(version) + "; known are "
                            + String.join(", ", history.versions())));
        });
        return new Found(schema, null, true, "");
    }
}
