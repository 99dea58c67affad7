/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An answer that does not fit into the heap is an error that names the limit, and no silence. */
class HeapTest {
    @Test
    void theLimitIsBoundByTheHeap() {
        long limit = InferenceHttpClient.builder()
                .baseUrl("http://127.0.0.1:1")
                .clientOptions()
                .maxAnswerBytes();
        assertThat(limit)
                .isLessThanOrEqualTo(Runtime.getRuntime().maxMemory() / 8)
                .isLessThanOrEqualTo(1L << 30)
                .isGreaterThan(1 << 20);
    }

    /** Two kilobytes a megabyte: what is small on the wire fills any heap. */
    @Test
    @Timeout(180)
    void aGzipBombIsAnErrorThatNamesTheLimit() throws Exception {
        byte[] bomb = bomb(400);
        FaultServer.Script script = connection -> {
            connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nContent-Length: "
                            + bomb.length + "\r\n\r\n");
            connection.write(bomb);
            connection.awaitHangUp();
        };
        try (FaultServer server = new FaultServer(script)) {
            Process program = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx96m",
                            "-XX:+UseSerialGC",
                            "-cp",
                            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                            SmallHeap.class.getName(),
                            server.url())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(program.waitFor()).as(said).isZero();
            List<String> outcomes = said.lines()
                    .filter(line -> line.startsWith("dev.sglangray.client."))
                    .toList();
            assertThat(outcomes)
                    .as(said)
                    .hasSize(4)
                    .allMatch(line -> line.startsWith("dev.sglangray.client.AnswerTooLargeException: POST http"))
                    .allMatch(line -> line.endsWith("bytes (maxAnswerBytes)"));
        }
    }

    private static byte[] bomb(int megabytes) throws Exception {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed, 1 << 16)) {
            gzip.write("data: \"".getBytes(StandardCharsets.US_ASCII));
            byte[] piece = new byte[1 << 20];
            java.util.Arrays.fill(piece, (byte) 'a');
            for (int i = 0; i < megabytes; i++) {
                gzip.write(piece);
            }
        }
        return packed.toByteArray();
    }
}
