/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConsoleTest {
    private static final Instant TIME = Instant.parse("2026-01-01T00:00:00.5Z");

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Console console(boolean terminal) {
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        return new Console(stream, stream, false, terminal);
    }

    private String taken() {
        String text = out.toString(StandardCharsets.UTF_8);
        out.reset();
        return text;
    }

    @Test
    void elsewhereThanOnATerminalATableIsABlockForEachTime() {
        Console console = console(false);
        console.repaint(TIME, List.of("a", "b\nc"));
        console.repaint(TIME.plusSeconds(2), List.of("a"));

        assertThat(taken()).isEqualTo("2026-01-01T00:00:00Z\na\nb\nc\n\n2026-01-01T00:00:02Z\na\n\n");
    }

    @Test
    void onATerminalItIsPaintedOver() {
        Console console = console(true);
        console.hide(List.of("s3cr3t-word"));
        console.repaint(TIME, List.of("a\u001b[31m s3cr3t-word"));
        assertThat(taken())
                .isEqualTo("\u001b[2J\u001b[H2026-01-01T00:00:00Z\u001b[K\na\\u001b[31m <hidden>\u001b[K\n\u001b[J");
        console.repaint(TIME, List.of("b"));
        assertThat(taken()).startsWith("\u001b[H2026").endsWith("b\u001b[K\n\u001b[J");
    }

    @Test
    void aReaderThatEndedIsSeen() {
        assertThat(console(false).isRead()).isTrue();
        PrintStream closed = new PrintStream(
                new OutputStream() {
                    @Override
                    public void write(int octet) throws IOException {
                        throw new IOException("Broken pipe");
                    }
                },
                true,
                StandardCharsets.UTF_8);
        Console console = new Console(closed, closed, false, false);
        console.result("a");
        assertThat(console.isRead()).isFalse();
    }
}
