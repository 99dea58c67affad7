/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.docs.DocBlock;
import dev.sglangray.app.monitor.Episode;
import dev.sglangray.config.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The metrics as the guide, the alert rules and the dashboard name them. */
class MetricsDocumentTest {
    private static final Path CONF = PythonEnvironment.repository().resolve("ray-app/conf/prometheus");

    private static String read(Path file) throws IOException {
        return Files.readString(file);
    }

    private static List<String> found(String pattern, String text) {
        return Pattern.compile(pattern, Pattern.MULTILINE)
                .matcher(text)
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    @Test
    void theGuidesTableHasEachWithItsKind() throws IOException {
        String guide = read(PythonEnvironment.repository().resolve("docs/guides/metrics.md"));
        List<String> rows = Pattern.compile("^\\| `(sglang_ray_\\w+)` \\| (\\w+) \\|", Pattern.MULTILINE)
                .matcher(guide)
                .results()
                .map(row -> row.group(1) + " " + row.group(2))
                .toList();
        assertThat(rows)
                .containsExactlyElementsOf(Stream.of(Meters.values())
                        .map(meter ->
                                meter.prometheusName() + " " + meter.kind.name().toLowerCase(Locale.ROOT))
                        .toList());
        assertThat(Episode.Cause.values())
                .allMatch(cause -> guide.contains("`" + cause.name().toLowerCase(Locale.ROOT) + "`"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"alerts.yml", "grafana.json"})
    void rulesAndDashboardNameOnlyWhatThereIs(String file) throws IOException {
        List<String> series = Stream.of(Meters.values())
                .flatMap(meter -> meter.kind == Meters.Kind.HISTOGRAM
                        ? Stream.of("_bucket", "_sum", "_count", "_max").map(end -> meter.prometheusName() + end)
                        : Stream.of(meter.prometheusName()))
                .toList();
        assertThat(found("\\b(sglang_ray_\\w+)", read(CONF.resolve(file))))
                .hasSizeGreaterThan(5)
                .isSubsetOf(series);
    }

    @Test
    void eachRuleSaysWhenAndWhat() throws IOException {
        Config rules = Config.parse(read(CONF.resolve("alerts.yml")))
                .require("groups")
                .children()
                .get(0)
                .require("rules");
        assertThat(rules.children()).hasSizeGreaterThan(5);
        for (Config rule : rules.children()) {
            assertThat(rule.require("alert").asString()).startsWith("SglangRay");
            assertThat(rule.require("labels.severity").asString()).isIn("warning", "critical");
            assertThat(rule.require("annotations.summary").asString()).contains("{{ $labels.fleet }}");
            String expression = rule.require("expr").asString();
            assertThat(expression.chars().filter(c -> c == '(').count())
                    .isEqualTo(expression.chars().filter(c -> c == ')').count());
        }
    }

    @Test
    void eachPanelOfTheDashboardAsksForSomething() throws IOException {
        JsonNode dashboard = new ObjectMapper().readTree(read(CONF.resolve("grafana.json")));
        assertThat(dashboard.path("panels")).hasSizeGreaterThan(5);
        assertThat(dashboard.path("panels")).allSatisfy(panel -> {
            assertThat(panel.path("title").asText()).isNotBlank();
            assertThat(panel.path("targets").findValuesAsText("expr")).isNotEmpty();
            assertThat(panel.path("gridPos").path("w").asInt()).isBetween(1, 24);
        });
    }

    @Test
    void theGuidesExampleIsTheFile() throws IOException {
        assertThat(DocBlock.marked("file: ray-app/conf/prometheus/prometheus.yml") + "\n")
                .isEqualTo(read(CONF.resolve("prometheus.yml")));
        assertThat(Config.parse(read(CONF.resolve("prometheus.yml")))
                        .require("rule_files")
                        .children())
                .extracting(Config::asString)
                .isNotEmpty()
                .allMatch(name -> Files.exists(CONF.resolve(name)));
    }
}
