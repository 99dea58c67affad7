/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import dev.sglangray.config.Config;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.argument.ArgumentBlock;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The block that RLinf's launcher takes, {@code router_server_args} in its guide.
 *
 * @param modelPath the model's path, for people; the engine reads its own from {@code server}; null when absent
 * @param tensorParallelSize accelerators in a tensor-parallel group, from 1; null when absent
 * @param pipelineParallelSize pipeline stages, from 1; null when absent
 * @param serverType what kind of engine to start
 * @param groupName the name of the engines' worker group
 * @param launchServer whether to start engines
 * @param server what goes to the engine as it is
 * @param routerGroupName the name of the router's worker group
 * @param routerType which program the router is; null for the one that is installed
 * @param launchRouter whether to start a router
 * @param router what goes to the router as it is
 * @param externalEngines engines that other programs keep, to which the router sends too
 * @param bindHost which addresses engines and router listen at, where the router's own arguments name none
 * @param advertiseHost the host in the engines' URLs; null for the address that Ray knows each engine's node by
 */
public record LauncherArgs(
        @Nullable String modelPath,
        @Nullable Integer tensorParallelSize,
        @Nullable Integer pipelineParallelSize,
        ServerType serverType,
        String groupName,
        boolean launchServer,
        ArgumentBlock server,
        String routerGroupName,
        @Nullable RouterType routerType,
        boolean launchRouter,
        ArgumentBlock router,
        List<ExternalEngine> externalEngines,
        BindHost bindHost,
        @Nullable String advertiseHost) {
    /** Copies the list. */
    public LauncherArgs {
        externalEngines = List.copyOf(externalEngines);
    }

    /** The engines' group when {@code group_name} is absent, as in RLinf's guide. */
    public static final String DEFAULT_GROUP_NAME = "SGLangServerGroup";

    /** The router's group when {@code router_group_name} is absent, as in RLinf's guide. */
    public static final String DEFAULT_ROUTER_GROUP_NAME = "SGLangRouterGroup";

    /**
     * Reads the block.
     *
     * @throws ConfigException with every problem that the block has
     */
    public static LauncherArgs from(Config block) {
        return new LauncherArgsReader().read(block);
    }

    /**
     * A block and what is probably not meant in it.
     *
     * @param arguments the block
     * @param warnings sizes that are no whole numbers, which RLinf rounds towards zero or takes for 1
     */
    public record Checked(LauncherArgs arguments, List<ConfigProblem> warnings) {
        /** Copies the list. */
        public Checked {
            warnings = List.copyOf(warnings);
        }
    }

    /**
     * Reads the block, and tells what is probably not meant.
     *
     * @throws ConfigException as {@link #from}
     */
    public static Checked check(Config block) {
        LauncherArgsReader reader = new LauncherArgsReader();
        LauncherArgs arguments = reader.read(block);
        return new Checked(arguments, reader.warnings());
    }

    /** The same block with engines of a type. */
    LauncherArgs withWorkerType(WorkerType type) {
        Map<String, @Nullable Object> arguments = new LinkedHashMap<>(server.values());
        if (type == WorkerType.REGULAR) {
            arguments.remove(WorkerType.ARGUMENT);
        } else {
            arguments.put(WorkerType.ARGUMENT, type.configName());
        }
        return new LauncherArgs(
                modelPath,
                tensorParallelSize,
                pipelineParallelSize,
                serverType,
                groupName,
                launchServer,
                new ArgumentBlock(arguments, server.source()),
                routerGroupName,
                routerType,
                launchRouter,
                router,
                externalEngines,
                bindHost,
                advertiseHost);
    }

    /** The model's path, if the block has one. */
    public Optional<String> model() {
        return Optional.ofNullable(modelPath);
    }

    /**
     * How many accelerators an engine has: {@code server.num_gpus} when it is above 0, else the tensor-parallel times
     * the pipeline-parallel size. Empty only when no engine is to be launched and the sizes are absent.
     */
    public OptionalInt acceleratorsPerEngine() {
        OptionalInt own = WholeNumber.of(server.values().get("num_gpus"));
        if (own.orElse(0) > 0) {
            return own;
        }
        return tensorParallelSize == null || pipelineParallelSize == null
                ? OptionalInt.empty()
                : OptionalInt.of(tensorParallelSize * pipelineParallelSize);
    }
}
