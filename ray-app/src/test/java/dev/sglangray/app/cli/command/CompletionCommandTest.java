/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cli.CommandRun;
import dev.sglangray.app.cli.context.ExitCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompletionCommandTest {
    @TempDir
    private Path folder;

    private String bash(String... words) throws IOException, InterruptedException {
        Path out = folder.resolve("out");
        Process bash = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        assertThat(bash.waitFor(30, TimeUnit.SECONDS)).isTrue();
        String said = Files.readString(out);
        assertThat(bash.exitValue()).as(said).isZero();
        return said;
    }

    /** What bash offers for the last of these words. Outside of a completion, bash complains of compopt. */
    private List<String> offers(Path script, String... words) throws IOException, InterruptedException {
        String array = "'" + String.join("' '", words) + "'";
        return Arrays.asList(bash(
                        "bash",
                        "--noprofile",
                        "--norc",
                        "-c",
                        "source '" + script + "'; COMP_WORDS=(sglang-ray " + array + "); COMP_CWORD=" + words.length
                                + "; complete -p sglang-ray >/dev/null || exit 1"
                                + "; _complete_sglang-ray 2>/dev/null; printf '%s\\n' \"${COMPREPLY[@]}\"")
                .split("\\s+"));
    }

    @Test
    void aShellThatReadsTheScriptCompletesCommandsAndOptions() throws IOException, InterruptedException {
        CommandRun run = CommandRun.of("completion", "bash");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        Path script = Files.writeString(folder.resolve("completion"), run.out(), StandardCharsets.UTF_8);

        assertThat(bash("bash", "-n", script.toString())).isEmpty();
        assertThat(offers(script, "st")).containsExactly("status");
        assertThat(offers(script, "")).contains("up", "events", "logs", "top", "completion");
        assertThat(offers(script, "events", "--fo")).containsExactly("--follow");
        assertThat(offers(script, "config", "sh")).containsExactly("show");
    }

    @Test
    void zshGetsAScriptToo() {
        CommandRun run = CommandRun.of("completion", "zsh");
        assertThat(run.code()).isEqualTo(ExitCode.OK);
        assertThat(run.out()).contains("bashcompinit", "sglang-ray");
    }

    @Test
    void anotherShellIsRefused() {
        CommandRun fish = CommandRun.of("completion", "fish");
        assertThat(fish.code()).isEqualTo(ExitCode.USAGE);
        assertThat(fish.err()).contains("SHELL: 'fish' is not 'bash' or 'zsh'");
        assertThat(CommandRun.of("completion").code()).isEqualTo(ExitCode.USAGE);
    }
}
