/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.bridge.LogTail;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogStreamTest {
    @TempDir
    private Path folder;

    private final List<String> printed = new ArrayList<>();
    private final Map<String, LogStream.Source> sources = new LinkedHashMap<>();
    private final LogStream stream = new LogStream(
            new Questions<>(away -> {}, Duration.ofSeconds(1), Duration.ZERO, System::nanoTime), printed::add);
    private Path router = Path.of("");
    private Path engine = Path.of("");

    @BeforeEach
    void logs() throws IOException {
        router = Files.writeString(folder.resolve("sglang-router-R-0-1.log"), "r0\nr1\nr2\n");
        engine = Files.writeString(folder.resolve("sglang-engine-E-0-1.log"), "e0\ne1\nhal");
        sources.put("router", from -> read(router, from));
        sources.put("engine 0", from -> read(engine, from));
    }

    private static CompletableFuture<LogTail.Piece> read(Path log, LogTail.Position from) {
        try {
            return CompletableFuture.completedFuture(from == null ? LogTail.tail(log, 2) : LogTail.after(log, from));
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private List<String> taken() {
        List<String> lines = List.copyOf(printed);
        printed.clear();
        return lines;
    }

    @Test
    void theTailsHaveAHeaderEachAndTheUnfinishedLine() throws InterruptedException {
        assertThat(stream.tails(sources)).isTrue();
        assertThat(taken())
                .containsExactly(
                        "==> router: " + router + " <==",
                        "r1",
                        "r2",
                        "",
                        "==> engine 0: " + engine + " <==",
                        "e1",
                        "hal");
        assertThat(stream.tails(Map.of())).isFalse();
    }

    @Test
    void oneLogHasNoHeader() throws InterruptedException {
        sources.remove("engine 0");
        stream.tails(sources);
        assertThat(taken()).containsExactly("r1", "r2");
    }

    @Test
    void newLinesFollowUnderTheirHeader() throws InterruptedException, IOException {
        stream.next(sources);
        assertThat(taken()).endsWith("", "==> engine 0: " + engine + " <==", "e1");
        stream.next(sources);
        assertThat(taken()).isEmpty();
        Files.writeString(engine, "f\n", StandardOpenOption.APPEND);
        stream.next(sources);
        assertThat(taken()).as("of the log that is shown").containsExactly("half");
        Files.writeString(router, "r3\n", StandardOpenOption.APPEND);
        stream.next(sources);
        assertThat(taken()).containsExactly("", "==> router: " + router + " <==", "r3");
    }

    @Test
    void theLogOfANewProcessIsAnnouncedAfterTheLastLinesOfTheOneBefore() throws InterruptedException, IOException {
        sources.remove("router");
        stream.next(sources);
        assertThat(taken()).containsExactly("e1");
        Files.writeString(engine, "f, and killed", StandardOpenOption.APPEND);
        Path before = engine;
        engine = folder.resolve("sglang-engine-E-0-1-restart1.log");
        stream.next(sources);
        assertThat(taken()).as("the new log is not there yet").containsExactly("half, and killed");
        Files.writeString(engine, "");
        stream.next(sources);
        assertThat(taken()).containsExactly("==> engine 0: " + engine + " <==");
        Files.writeString(engine, "x\n".repeat(100_000));
        stream.next(sources);
        assertThat(taken()).as("all pieces of it").hasSize(100_000);
        assertThat(before).exists();
    }
}
