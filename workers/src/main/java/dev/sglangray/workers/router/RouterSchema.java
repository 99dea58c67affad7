/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import dev.sglangray.bridge.PythonException;
import dev.sglangray.bridge.SchemaDump;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.Config;
import dev.sglangray.config.argument.ArgumentValidator;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Severity;
import dev.sglangray.config.launcher.RouterType;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Refuses changes of arguments that the installed router does not have, or not with such values. Immutable. */
public final class RouterSchema implements Consumer<Map<String, Object>> {
    private static final Logger LOG = LoggerFactory.getLogger(RouterSchema.class);
    private static final Duration DEADLINE = Duration.ofMinutes(3);

    private final ProcessFactory kit;
    private final String python;
    private final SchemaKind kind;

    /**
     * Asks nothing yet.
     *
     * @param routerType which router it is, by the launcher's word; null for the one that is installed
     */
    public RouterSchema(ProcessFactory kit, String python, @Nullable String routerType) {
        this.kit = kit;
        this.python = python;
        this.kind = RouterType.SMG.configName().equals(routerType) ? SchemaKind.SMG : SchemaKind.ROUTER;
    }

    @Override
    public void accept(Map<String, Object> changes) {
        // The validator takes null for an argument that is not there.
        Config block = Config.of(new LinkedHashMap<>(changes));
        List<ConfigProblem> wrong = problems(block).stream()
                .filter(problem -> problem.severity() == Severity.ERROR && changes.containsKey(problem.key()))
                .toList();
        if (!wrong.isEmpty()) {
            throw new WorkerFailure(wrong.stream().map(ConfigProblem::render).collect(Collectors.joining("\n")));
        }
    }

    private List<ConfigProblem> problems(Config block) {
        try {
            String installed = new SchemaDump(kit.pythonPackage()).dump(python, kind, DEADLINE);
            return ArgumentValidator.validate(block, SchemaDump.schema(installed));
        } catch (PythonException e) {
            LOG.warn("Changes are compared with the arguments of the tested router: {}", e.getMessage());
            return ArgumentValidator.validate(block, SchemaDump.schema(SchemaDump.bundled(kind)), Severity.WARNING, "");
        }
    }
}
