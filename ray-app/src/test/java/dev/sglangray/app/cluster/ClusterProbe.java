/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Reads the tables of a cluster's GCS through one Python process that lives as long as the cluster. */
final class ClusterProbe {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Process process;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private final Writer questions;

    ClusterProbe(Process process) {
        this.process = process;
        this.questions = process.outputWriter(StandardCharsets.UTF_8);
        Thread reader = new Thread(
                () -> process.inputReader(StandardCharsets.UTF_8).lines().forEach(answers::add), "probe");
        reader.setDaemon(true);
        reader.start();
    }

    /** The rows of one table: {@code nodes}, {@code actors} or {@code placement_groups}. */
    synchronized JsonNode rows(String table) {
        try {
            questions.write(table + "\n");
            questions.flush();
            String line = answers.poll(60, TimeUnit.SECONDS);
            if (line == null) {
                throw new AssertionError("the GCS gave no answer within 60 s; the probe's log is probe.log");
            }
            JsonNode answer = JSON.readTree(line);
            if (answer.has("error")) {
                throw new AssertionError(
                        "the GCS gave no answer: " + answer.path("error").asText());
            }
            return answer.path("rows");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while asking the GCS", e);
        }
    }

    long pid() {
        return process.pid();
    }
}
