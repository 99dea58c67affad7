/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.autoscaling.AutoscalingReader;
import dev.sglangray.app.metrics.MetricsSettings;
import dev.sglangray.app.tracing.TracingSettings;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.placement.plan.GroupSettingsReader;
import dev.sglangray.placement.plan.GroupStrategy;
import dev.sglangray.placement.rank.AcceleratorIds;
import dev.sglangray.workers.supervision.OnDegraded;
import dev.sglangray.workers.supervision.OnNodeLoss;
import dev.sglangray.workers.supervision.ProbeKind;
import dev.sglangray.workers.supervision.RestartMode;
import dev.sglangray.workers.supervision.SupervisionPolicyReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** The editors' schema of the launcher's own maps against those who read them. */
class FleetSchemaTest {

    @Test
    void hasTheKeysThatAreRead() throws IOException {
        assertThat(keys("placement_group"))
                .containsExactlyInAnyOrderElementsOf(read("placement_group", GroupSettingsReader::read));
        assertThat(keys("metrics")).containsExactlyInAnyOrderElementsOf(read("metrics", MetricsSettings::read));
        assertThat(keys("tracing")).containsExactlyInAnyOrderElementsOf(read("tracing", TracingSettings::read));
        assertThat(keys("autoscaling")).containsExactlyInAnyOrderElementsOf(read("autoscaling", block -> {
            LauncherArgs arguments = LauncherArgs.from(
                    Config.parse("{launch_router: true, launch_server: false, router: {}, server: {}}"));
            EnginePool pool = new EnginePool("", null, null, arguments, Map.of(), true, block, null);
            AutoscalingReader.read(Config.parse("{}"), arguments, List.of(pool), true);
        }));
        assertThat(keys("supervision"))
                .containsExactlyInAnyOrderElementsOf(read("supervision", SupervisionPolicyReader::read));
    }

    @Test
    void hasTheKeysOfPools() throws IOException {
        Config block = Config.parse("{b: {launch_router: false, server: {model_path: /m}, pools: [{zzz: 1}]}}")
                .require("b");
        ConfigException refusal = catchThrowableOfType(
                ConfigException.class, () -> EnginePool.of(block, block, LauncherArgs.from(block)));
        JsonNode pool = schema().at("/definitions/launcher/properties/pools/anyOf/0/items/properties");

        assertThat(pool.fieldNames())
                .toIterable()
                .containsExactlyInAnyOrderElementsOf(refusal.problems().get(0).allowed());
    }

    @Test
    void hasTheWordsThatAreRead() throws IOException {
        assertThat(words("placement_group", "strategy")).containsExactlyElementsOf(names(GroupStrategy.values()));
        assertThat(words("placement_group", "accelerator_ids"))
                .containsExactlyElementsOf(names(AcceleratorIds.values()));
        assertThat(words("supervision", "restart")).containsExactlyElementsOf(dashed(RestartMode.values()));
        assertThat(words("supervision", "probe")).containsExactlyElementsOf(dashed(ProbeKind.values()));
        assertThat(words("supervision", "on_node_loss")).containsExactlyElementsOf(dashed(OnNodeLoss.values()));
        assertThat(words("supervision", "on_degraded")).containsExactlyElementsOf(dashed(OnDegraded.values()));
    }

    private static List<String> read(String map, Consumer<Config> reader) {
        Config block = Config.parse(map + ": {zzz: 1}");
        ConfigException refusal = catchThrowableOfType(ConfigException.class, () -> reader.accept(block));
        return refusal.problems().get(0).allowed();
    }

    private static List<String> keys(String map) throws IOException {
        JsonNode properties = properties(map);
        return StreamSupport.stream(((Iterable<String>) properties::fieldNames).spliterator(), false)
                .toList();
    }

    private static List<String> words(String map, String key) throws IOException {
        JsonNode choice = properties(map).path(key).path("anyOf").path(0).path("enum");
        return StreamSupport.stream(choice.spliterator(), false)
                .map(JsonNode::asText)
                .filter(word -> word.equals(word.toLowerCase(Locale.ROOT)))
                .toList();
    }

    private static JsonNode schema() throws IOException {
        return new ObjectMapper()
                .readTree(Path.of("conf/sglang-ray.schema.json").toFile());
    }

    private static JsonNode properties(String map) throws IOException {
        return schema().at("/definitions/launcher/properties/" + map + "/anyOf/0/properties");
    }

    private static List<String> names(Enum<?>[] values) {
        return Arrays.stream(values)
                .map(value -> value.name().toLowerCase(Locale.ROOT))
                .toList();
    }

    private static List<String> dashed(Enum<?>[] values) {
        return names(values).stream().map(name -> name.replace('_', '-')).toList();
    }
}
