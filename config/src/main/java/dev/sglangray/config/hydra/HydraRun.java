/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.hydra.override.ConfigOverride;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.ValueNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Puts into Hydra's section what Hydra would know of a run and what means something here too. */
final class HydraRun {
    private static final String JOB_NAME = "sglang-ray";

    private final MapNode hydra;

    HydraRun(MapNode hydra) {
        this.hydra = hydra;
    }

    /** Fills what the configuration does not set itself. */
    void fill(String configName, List<ConfigOverride> overrides, Map<String, @Nullable String> choices) {
        Path cwd = Path.of("").toAbsolutePath();
        set("job", "name", text(JOB_NAME));
        set("job", "config_name", text(configName));
        List<ConfigOverride> task =
                overrides.stream().filter(override -> !isOwn(override)).toList();
        set(
                "job",
                "override_dirname",
                text(task.stream().map(ConfigOverride::displayLine).sorted().collect(Collectors.joining(","))));
        set("runtime", "cwd", text(cwd.toString()));
        set("runtime", "output_dir", text(cwd + "/${hydra.run.dir}"));
        MapNode chosen = map("runtime");
        if (chosen != null && chosen.get("choices") instanceof MapNode known) {
            choices.forEach((group, option) -> known.put(group, text(option)));
        }
        MapNode lines = map("overrides");
        if (lines != null) {
            lines.put("task", list(task));
            lines.put("hydra", list(overrides.stream().filter(HydraRun::isOwn).toList()));
        }
    }

    private static boolean isOwn(ConfigOverride override) {
        return override.key().startsWith("hydra.") || override.key().startsWith("hydra/");
    }

    private @Nullable MapNode map(String name) {
        return hydra.get(name) instanceof MapNode map ? map : null;
    }

    private void set(String section, String key, Node value) {
        MapNode map = map(section);
        if (map != null && map.get(key) instanceof ValueNode present && present.isMissing()) {
            map.put(key, value);
        }
    }

    private static ValueNode text(@Nullable String text) {
        return new ValueNode(text, SourcePosition.PROGRAM);
    }

    private static ListNode list(List<ConfigOverride> overrides) {
        ListNode list = new ListNode(SourcePosition.PROGRAM);
        overrides.forEach(override -> list.add(ValueNode.result(override.displayLine(), SourcePosition.PROGRAM)));
        return list;
    }
}
