/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Asks what can only be asked inside a cluster, through one Python process that lives as long as the cluster. */
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
    JsonNode rows(String table) {
        return ask(JSON.createObjectNode().put("table", table)).path("rows");
    }

    /** The answer to an HTTP request: {@code status} (0 if there is none) and {@code text}. A null body means GET. */
    JsonNode http(String url, @Nullable JsonNode body) {
        ObjectNode question = JSON.createObjectNode().put("url", url);
        if (body != null) {
            question.set("body", body);
        }
        return ask(question).path("http");
    }

    private synchronized JsonNode ask(JsonNode question) {
        try {
            questions.write(JSON.writeValueAsString(question) + "\n");
            questions.flush();
            String line = answers.poll(60, TimeUnit.SECONDS);
            if (line == null) {
                throw new AssertionError("the cluster's probe gave no answer within 60 s; its log is probe.log");
            }
            JsonNode answer = JSON.readTree(line);
            if (answer.has("error")) {
                throw new AssertionError(
                        "the cluster's probe failed: " + answer.path("error").asText());
            }
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while asking the cluster's probe", e);
        }
    }

    long pid() {
        return process.pid();
    }
}
