/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cli.CommandRun;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.config.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigShowCommandTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.createDirectories(folder.resolve("db"));
        Files.writeString(folder.resolve("db/pg.yaml"), "port: 5432\nname: 'yes'\n");
        Files.writeString(folder.resolve("main.yaml"), """
                defaults:
                  - db: pg
                copy: ${db.port}
                items: [1, 2.5, null, [], {k: "a: b"}]
                empty: {}
                open: ???
                router_api_key: s3cr3t
                auth: ${router_api_key}
                """);
    }

    @Test
    void printsTheResolvedTreeWithOrigins() {
        CommandRun run = show();

        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.out())
                .containsPattern("copy: 5432 +# \\S*main.yaml:3:7, \\$\\{db.port} <- 'db.port' at \\S*pg.yaml:1:7")
                .containsPattern("port: 5432 +# \\S*pg.yaml:1:7")
                .containsPattern("open: \\?\\?\\? +# \\S*main.yaml:6:7")
                .containsPattern("# \\S*pg.yaml <- the defaults list at \\S*main.yaml:2:9, which names 'db/pg'");
    }

    @Test
    void whatItPrintsReadsBack() {
        CommandRun run = show("open=1");

        Config read = Config.parse(run.out());
        assertThat(read.require("copy").asInt()).isEqualTo(5432);
        assertThat(read.require("db.name").toJava()).isEqualTo("yes");
        assertThat(String.valueOf(read.require("items").toJava())).isEqualTo("[1, 2.5, null, [], {k=a: b}]");
        assertThat(read.require("empty").isMap()).isTrue();
    }

    @Test
    void hidesSecretsAndWhatComesFromThem() {
        assertThat(show().out())
                .contains("router_api_key: <hidden>", "auth: <hidden>")
                .doesNotContain("s3cr3t");
        assertThat(show("--json").out()).contains("<hidden>").doesNotContain("s3cr3t");
        assertThat(show("++auth=${oc.env:SOME_TOKEN,s3cr3t}").out()).doesNotContain("s3cr3t");
    }

    @Test
    void showsWhatCannotBeResolvedAsWritten() {
        CommandRun run = show("+bad=${nope}");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.out())
                .containsPattern("bad: \"\\$\\{nope}\" .*cannot be resolved")
                .contains("copy: 5432");
        assertThat(run.err()).contains("there is no 'nope'");
    }

    @Test
    void showsAPartAsJson() throws IOException {
        JsonNode shown =
                new ObjectMapper().readTree(show("--json", "--key", "db").out());

        assertThat(shown.path("config").toString()).isEqualTo("{\"port\":5432,\"name\":\"yes\"}");
        assertThat(shown.path("origins").path("db.port").path("line").asInt()).isEqualTo(1);
        assertThat(shown.path("files").properties()).hasSize(1);
    }

    @Test
    void aKeyThatIsNotThereIsNamedWithTheNearest() {
        CommandRun run = show("--key", "dbb");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("dbb", "did you mean 'db'?");
    }

    @Test
    void theParentCommandSaysWhatThereIs() {
        CommandRun run = CommandRun.of("config");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("show or schema");
    }

    private CommandRun show(String... more) {
        List<String> words =
                new ArrayList<>(List.of("config", "show", "--config-path", folder.toString(), "--config-name", "main"));
        words.addAll(Arrays.asList(more));
        return CommandRun.of(words.toArray(String[]::new));
    }
}
