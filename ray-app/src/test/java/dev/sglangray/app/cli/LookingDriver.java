/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cli.context.GroupNameOptions;
import dev.sglangray.app.cli.show.FleetReport;
import dev.sglangray.app.drivers.DriverSupport;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Looks at a fleet in two ways that know nothing of each other, each of them a second after its last answer, and prints a JSON line
 * for each look: what {@code status} reports, and whether each engine answers by itself. Times are seconds of
 * {@link System#nanoTime()}'s clock. The arguments after the first are the engines' URLs.
 */
public final class LookingDriver {
    /** An engine answers at once, or hangs. */
    private static final Duration ANSWER = Duration.ofSeconds(1);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> engines;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(ANSWER)
            .build();

    private LookingDriver(List<String> engines) {
        this.engines = engines;
    }

    public static void main(String[] arguments) throws InterruptedException {
        LookingDriver looking = new LookingDriver(Arrays.asList(arguments).subList(1, arguments.length));
        ScheduledExecutorService looks = Executors.newScheduledThreadPool(2);
        try (RaySession session = DriverSupport.connect()) {
            var answers = looks.scheduleWithFixedDelay(() -> looking.askEngines(), 0, 1, TimeUnit.SECONDS);
            var reports = looks.scheduleWithFixedDelay(() -> looking.report(session), 0, 1, TimeUnit.SECONDS);
            while (!answers.isDone() && !reports.isDone()) {
                boolean unused = looks.awaitTermination(1, TimeUnit.SECONDS);
            }
        }
    }

    /** As the command does it, but in a process that has joined the cluster already. */
    private void report(RaySession session) {
        double from = now();
        try {
            FleetReport report = new GroupNameOptions().require(session).report();
            Map<String, String> states = new TreeMap<>();
            for (WorkerStatus worker : report.workers()) {
                states.put(worker.identity().kind() + " " + worker.identity().rank(), worker.state());
            }
            say(Map.of(
                    "from",
                    from,
                    "to",
                    now(),
                    "verdict",
                    report.verdict().name(),
                    "words",
                    states + " " + report.condition().faults()));
        } catch (RuntimeException e) {
            say(Map.of("from", from, "to", now(), "verdict", "NONE", "words", e.toString()));
        }
    }

    private void askEngines() {
        Map<String, CompletableFuture<String>> asked = new TreeMap<>();
        for (String engine : engines) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(engine + "/health"))
                    .timeout(ANSWER)
                    .build();
            asked.put(
                    engine,
                    http.sendAsync(request, HttpResponse.BodyHandlers.discarding())
                            // The request's own time ends with the answer's head; an engine may stop in the middle of
                            // it.
                            .orTimeout(2 * ANSWER.toMillis(), TimeUnit.MILLISECONDS)
                            .handle((answer, failure) -> answer == null ? kind(failure) : "answers"));
        }
        Map<String, String> answers = new TreeMap<>();
        asked.forEach((engine, answer) -> answers.put(engine, answer.join()));
        say(Map.of("at", now(), "engines", answers));
    }

    /** Tells an engine that does not answer in time from a port where nothing listens. */
    private static String kind(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && !(cause instanceof IOException)) {
            cause = cause.getCause();
        }
        boolean late = cause instanceof HttpTimeoutException || cause instanceof TimeoutException;
        return late ? "hangs" : "refuses";
    }

    private static double now() {
        return System.nanoTime() / 1e9;
    }

    private static synchronized void say(Map<String, ?> line) {
        try {
            System.out.println(JSON.writeValueAsString(line));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
