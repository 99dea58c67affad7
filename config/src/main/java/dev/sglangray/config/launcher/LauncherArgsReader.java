/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import dev.sglangray.config.Config;
import dev.sglangray.config.Fields;
import dev.sglangray.config.KnownKeys;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.argument.ArgumentBlock;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.tree.PythonText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads {@link LauncherArgs}. Not thread-safe. */
final class LauncherArgsReader {
    /** All from placement_group on are ours; who reads them checks what is in them. */
    private static final List<String> KEYS = List.of(
            "model_path",
            "tensor_parallel_size",
            "pipeline_parallel_size",
            "server_type",
            "group_name",
            "launch_server",
            "server",
            "router_group_name",
            "launch_router",
            "router",
            "placement_group",
            "supervision",
            "pools",
            ExternalEngine.KEY,
            "bind_host",
            "advertise_host",
            "router_type",
            "metrics",
            "dashboard",
            "tracing",
            "autoscaling");

    private final Fields fields = new Fields();
    private final List<ConfigProblem> warnings = new ArrayList<>();

    /** What is probably not meant in what was read. */
    List<ConfigProblem> warnings() {
        return List.copyOf(warnings);
    }

    LauncherArgs read(Config block) {
        if (!block.isMap()) {
            throw new ConfigException(block.error("must be a map with server and router"));
        }
        boolean launchServer = switched(block, "launch_server");
        boolean launchRouter = switched(block, "launch_router");
        // Each pool has what the block has not, and is read with it.
        boolean complete = launchServer
                && block.select("pools")
                        .filter(pools -> !pools.isNull()
                                && !(pools.isList() && pools.children().isEmpty()))
                        .isEmpty();
        ArgumentBlock server = arguments(block, "server", complete, complete);
        ArgumentBlock router = arguments(block, "router", launchRouter, launchRouter);
        fields.attempt(() -> requireModel(block, server, complete));
        boolean sizesNeeded = complete && !hasOwnWidth(block, server);
        String modelPath = fields.read(block, "model_path", "", Config::asString);
        String advertiseHost = fields.read(block, "advertise_host", "", LauncherArgsReader::advertiseHost);
        LauncherArgs args = new LauncherArgs(
                modelPath.isEmpty() ? null : modelPath,
                size(block, "tensor_parallel_size", sizesNeeded),
                size(block, "pipeline_parallel_size", sizesNeeded),
                serverType(block, launchServer),
                fields.read(block, "group_name", LauncherArgs.DEFAULT_GROUP_NAME, LauncherArgsReader::groupName),
                launchServer,
                server,
                fields.read(
                        block,
                        "router_group_name",
                        LauncherArgs.DEFAULT_ROUTER_GROUP_NAME,
                        LauncherArgsReader::groupName),
                fields.read(block, "router_type", Optional.<RouterType>empty(), LauncherArgsReader::routerType)
                        .orElse(null),
                launchRouter,
                router,
                ExternalEngine.of(block, fields),
                fields.read(block, "bind_host", BindHost.ALL, LauncherArgsReader::bindHost),
                advertiseHost.isEmpty() ? null : advertiseHost);
        checkGroups(block, args);
        checkNodes(block, args);
        checkKeys(block);
        ConfigException.throwIfErrors(fields.problems());
        return args;
    }

    // Other keys are free, for interpolations to refer to; one that looks like a slip would launch something else.
    private void checkKeys(Config block) {
        KnownKeys.unknown(block, KEYS).stream()
                .filter(problem -> !problem.fix().isEmpty())
                .forEach(fields::add);
    }

    private void checkGroups(Config block, LauncherArgs args) {
        boolean both = args.launchServer() && args.launchRouter();
        if (both && args.groupName().equals(args.routerGroupName())) {
            Config field = block.select("router_group_name")
                    .or(() -> block.select("group_name"))
                    .orElse(block);
            fields.add(field.error("engines and router cannot share the group '" + args.groupName() + "'"));
        }
    }

    /** SGLang shares the ranks of an engine evenly among its nodes. */
    private void checkNodes(Config block, LauncherArgs args) {
        OptionalInt nodes = WholeNumber.of(args.server().values().get("nnodes"));
        int width = args.acceleratorsPerEngine().orElse(0);
        if (!args.launchServer() || nodes.isEmpty() || width == 0) {
            return;
        }
        if (nodes.getAsInt() < 1 || width % nodes.getAsInt() != 0) {
            fields.add(block.require("server.nnodes")
                    .error("an engine of %d accelerator(s) has no equal parts on %d nodes"
                            .formatted(width, nodes.getAsInt()))
                    .withFix("leave it unset: it follows from the placement"));
        }
    }

    private ArgumentBlock arguments(Config block, String key, boolean used, boolean needed) {
        Config field = block.select(key).orElse(null);
        if (field == null) {
            if (needed) {
                fields.add(ConfigProblem.error(block.position(), key(block, key), "is required, but not given")
                        .withFix("add it, or set launch_" + key + " to false"));
            }
            return ArgumentBlock.empty();
        }
        if (!used) {
            // What is switched off is not resolved, so that it may refer to what is not there.
            return new ArgumentBlock(Map.of(), field);
        }
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        fields.attempt(() -> {
            if ((field.isMissing() || !field.isNull()) && fields.isMap(field, "must be a map")) {
                field.entries().forEach((name, value) -> fields.attempt(() -> values.put(name, value.toJava())));
            }
        });
        return new ArgumentBlock(values, field);
    }

    /** Every kind of engine needs a model; without one it would fail only after accelerators are taken. */
    private void requireModel(Config block, ArgumentBlock server, boolean launchServer) {
        Config source = server.source();
        if (!launchServer || source == null || server.values().get("model_path") != null) {
            return;
        }
        boolean absent = source.isNull() || (source.isMap() && !source.has("model_path"));
        boolean isNull = server.values().containsKey("model_path");
        if (absent || isNull) {
            String path = block.has("model_path") ? "${..model_path}" : "/path/of/model";
            fields.add(
                    ConfigProblem.error(source.position(), source.path() + ".model_path", "is required, but not given")
                            .withFix("add 'model_path: " + path + "' to " + source.path()));
        }
    }

    private static String key(Config block, String key) {
        return block.path().isEmpty() ? key : block.path() + "." + key;
    }

    /** Whether {@code server.num_gpus} says how many accelerators an engine has. */
    private boolean hasOwnWidth(Config block, ArgumentBlock server) {
        Object count = server.values().get("num_gpus");
        if (!WholeNumber.isTrue(count)) {
            return false;
        }
        Config field = block.require("server.num_gpus");
        OptionalInt width = WholeNumber.of(count);
        if (width.isEmpty()) {
            fields.add(field.error("must be an integer from 0, not " + field.display(count)));
            return true;
        }
        warnUnlessWhole(field, count, width.getAsInt());
        return width.getAsInt() > 0;
    }

    private @Nullable Integer size(Config block, String key, boolean needed) {
        int size = needed ? fields.require(block, key, 0, this::positive) : fields.read(block, key, 0, this::positive);
        return size == 0 ? null : size;
    }

    private int positive(Config field) {
        Object given = field.value();
        int value = WholeNumber.of(given).orElseGet(field::asInt);
        if (value < 1) {
            throw new ConfigException(field.error("must be at least 1, not " + value));
        }
        warnUnlessWhole(field, given, value);
        return value;
    }

    private void warnUnlessWhole(Config field, @Nullable Object given, int taken) {
        if (!(given instanceof Integer)) {
            warnings.add(field.warning("is no integer but " + field.display(given) + ", and is taken for " + taken)
                    .withFix("write " + taken));
        } else if (taken < 0) {
            warnings.add(field.warning("is below 0, and so has no effect"));
        }
    }

    /** What the launcher tests without looking at its type. Text is read as what it says, and null as off. */
    private boolean switched(Config block, String key) {
        return fields.attempt(
                () -> block.select(key).map(LauncherArgsReader::isOn).orElse(true), true);
    }

    private static boolean isOn(Config field) {
        if (field.isNull()) {
            return false;
        }
        return field.value() instanceof Number number ? WholeNumber.isTrue(number) : Fields.bool(field);
    }

    // A number or a switch is no name, in RLinf neither: 007 would be the group "7".
    private static String groupName(Config field) {
        Object value = field.value();
        if (value instanceof Number || value instanceof Boolean) {
            String shown = field.isSecret() ? Secrets.HIDDEN : PythonText.str(value);
            throw new ConfigException(field.error("must be a text, not " + shown)
                    .withFix("a name that looks like a number or a switch needs quotes: \"" + shown + "\""));
        }
        String name = field.asString();
        GroupName.refusal(name).ifPresent(why -> {
            throw new ConfigException(field.error(why));
        });
        return name;
    }

    private ServerType serverType(Config block, boolean needed) {
        Config field = block.select("server_type").orElse(null);
        if (field == null || (!needed && field.isNull())) {
            return ServerType.SRT;
        }
        return fields.require(block, "server_type", ServerType.SRT, LauncherArgsReader::serverType);
    }

    private static Optional<RouterType> routerType(Config field) {
        return Optional.of(word(field, RouterType.values(), RouterType::configName, "unknown router type"));
    }

    private static String advertiseHost(Config field) {
        String host = field.asString().strip();
        AdvertiseHost.refusal(host).ifPresent(why -> {
            throw new ConfigException(field.error(why));
        });
        return host;
    }

    private static BindHost bindHost(Config field) {
        return word(field, BindHost.values(), BindHost::configName, "cannot be");
    }

    private static ServerType serverType(Config field) {
        return word(field, ServerType.values(), ServerType::configName, "unknown server type");
    }

    /** The value whose name a field has. */
    static <E> E word(Config field, E[] values, Function<E, String> name, String refusal) {
        String text = field.asString();
        List<String> names = Arrays.stream(values).map(name).toList();
        int index = names.indexOf(text);
        if (index < 0) {
            throw new ConfigException(
                    field.error(refusal + " " + field.display(text)).withNames(text, names));
        }
        return values[index];
    }
}
