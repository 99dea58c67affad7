/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.app.cli.show.Console;
import dev.sglangray.app.cli.show.Console.LogFormat;
import dev.sglangray.app.cli.show.ProgressDisplay;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages for people and for programs. */
class LogFormatTest {
    private static List<JsonNode> records(String text) {
        List<JsonNode> records = new ArrayList<>();
        text.lines().forEach(line -> {
            try {
                records.add(new ObjectMapper().readTree(line));
            } catch (JsonProcessingException e) {
                throw new AssertionError(line, e);
            }
        });
        return records;
    }

    @ParameterizedTest
    @ValueSource(strings = {"json", "JSON"})
    void aFailureIsARecord(String format) {
        CommandRun run = CommandRun.of("--log-format", format, "config", "show", "-c", "/no/such.yaml");

        assertThat(run.code()).isEqualTo(2);
        List<JsonNode> records = records(run.err());
        assertThat(records).hasSize(1);
        assertThat(records.get(0).path("level").asText()).isEqualTo("ERROR");
        assertThat(records.get(0).path("message").asText()).contains("/no/such.yaml");
        assertThat(Instant.parse(records.get(0).path("time").asText())).isAfter(Instant.EPOCH);
    }

    @Test
    void theOptionMayFollowTheCommandAndGoesBeforeTheVariable() {
        Map<String, String> json = Map.of("SGLANG_RAY_LOG_FORMAT", "json");
        assertThat(records(CommandRun.of(json, "config", "show", "-c", "/no/such.yaml")
                        .err()))
                .hasSize(1);
        assertThat(CommandRun.of(json, "config", "show", "-c", "/no/such.yaml", "--log-format", "text")
                        .err())
                .doesNotStartWith("{");
    }

    @Test
    void anotherWordIsRefused() {
        CommandRun option = CommandRun.of("--log-format", "xml", "validate", "-c", "a.yaml");
        assertThat(option.code()).isEqualTo(2);
        assertThat(option.err()).contains("--log-format", "'xml' is not 'text' or 'json'");
        CommandRun variable = CommandRun.of(Map.of("SGLANG_RAY_LOG_FORMAT", "xml"), "validate", "-c", "a.yaml");
        assertThat(variable.code()).isEqualTo(2);
        assertThat(variable.err()).contains("SGLANG_RAY_LOG_FORMAT: 'xml' is not 'text' or 'json'");
    }

    @Test
    void progressHasFields() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        Console console = new Console(stream, stream, true, true);
        console.hide(List.of("geheimes-wort"));
        console.logAs(LogFormat.JSON);
        try (ProgressDisplay progress = new ProgressDisplay(console, false)) {
            progress.started(LaunchPhase.START, "starting 1 engine(s)");
            progress.note(LaunchPhase.START, "two\nlines with geheimes-wort and \u001b[31m");
            progress.workerReady("E:0", "http://10.0.0.1:1", 1, 2);
            progress.ended(LaunchPhase.START, Duration.ofMillis(1500));
        }

        List<JsonNode> records = records(bytes.toString(StandardCharsets.UTF_8));
        assertThat(records).hasSize(4).allSatisfy(one -> {
            assertThat(one.path("level").asText()).isEqualTo("INFO");
            assertThat(one.path("elapsed_s").isNumber()).isTrue();
        });
        assertThat(records.get(0).path("phase").asText()).isEqualTo("start");
        assertThat(records.get(1).path("message").asText()).isEqualTo("two\nlines with <hidden> and \\u001b[31m");
        assertThat(records.get(2).path("worker").asText()).isEqualTo("E:0");
        assertThat(records.get(2).path("of").asInt()).isEqualTo(2);
        assertThat(records.get(3).path("seconds").asDouble()).isEqualTo(1.5);
    }
}
