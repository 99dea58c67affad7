/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.TestCluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Requests through a router at a steady rate, from a process on the head, and looks at the router's list. Times are seconds of
 * {@link System#nanoTime()}'s clock. Not thread-safe.
 */
final class SteadyLoad implements AutoCloseable {

    /** Who answers where engines do not say who they are. */
    static final String NOBODY = "None:None";

    private final InsideProcess process;
    private final List<Sent> sent = new ArrayList<>();
    private final List<Look> looks = new ArrayList<>();
    private long read;

    /** One request that has ended; {@code kind} is {@code ok}, or how it failed. */
    record Sent(double start, double end, String kind, String who) {
        boolean ok() {
            return kind.equals("ok");
        }
    }

    /** One look: the engines that get requests, empty also when the router does not answer, and the oldest open request. */
    record Look(double at, boolean answered, Set<String> healthy, double oldest) {}

    SteadyLoad(TestCluster cluster, String routerUrl, double requestsPerSecond) {
        this(cluster, "load.py", routerUrl, Double.toString(requestsPerSecond));
    }

    private SteadyLoad(TestCluster cluster, String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                cluster.python().python().toString(), Cli.config(program).toString()));
        command.addAll(List.of(arguments));
        process = cluster.spawn(cluster.head(), command, Map.of());
    }

    /** As many requests at once as a file says; it does not look at the router's list. */
    static SteadyLoad crowd(TestCluster cluster, String routerUrl, Path size) {
        return new SteadyLoad(cluster, "crowd.py", routerUrl, size.toString());
    }

    static double now() {
        return System.nanoTime() / 1e9;
    }

    /** Reads what was written since. */
    void refresh() {
        if (!process.isAlive()) {
            throw new AssertionError("the load ended: " + process.stderr());
        }
        String text = process.linesFrom(read);
        text.lines().map(Cli::parse).forEach(this::take);
        // It writes ASCII.
        read += text.length();
    }

    private void take(JsonNode line) {
        if (line.has("kind")) {
            sent.add(new Sent(
                    line.path("start").asDouble(),
                    line.path("end").asDouble(),
                    line.path("kind").asText(),
                    line.path("who").asText()));
            return;
        }
        Set<String> healthy = new TreeSet<>();
        line.path("healthy").forEach(url -> healthy.add(url.asText()));
        looks.add(new Look(
                line.path("at").asDouble(),
                line.path("healthy").isArray(),
                healthy,
                line.path("oldest").asDouble(Double.MAX_VALUE)));
    }

    /** The end of the first request that started after a time and ended as wanted; NaN while there is none. */
    double firstSent(double after, Predicate<Sent> wanted) {
        return sent.stream()
                .filter(request -> request.start() > after)
                .filter(wanted)
                .mapToDouble(Sent::end)
                .min()
                .orElse(Double.NaN);
    }

    /** The time of the first look after another time that is as wanted; NaN while there is none. */
    double firstLook(double after, Predicate<Look> wanted) {
        return looks.stream()
                .filter(look -> look.at() > after)
                .filter(wanted)
                .mapToDouble(Look::at)
                .findFirst()
                .orElse(Double.NaN);
    }

    /** The last look; nothing before the first. */
    Look last() {
        return looks.isEmpty() ? new Look(0, false, Set.of(), 0) : looks.get(looks.size() - 1);
    }

    /** The requests that were open at some time between the two. */
    List<Sent> between(double from, double to) {
        return sent.stream()
                .filter(request -> request.end() >= from && request.start() <= to)
                .toList();
    }

    /** The looks so far, oldest first. */
    List<Look> looks() {
        return Collections.unmodifiableList(looks);
    }

    /** The requests that failed although the router was there for as long as they took. */
    List<Sent> lostBehindTheRouter(double since) {
        List<double[]> absences = absences();
        return sent.stream()
                .filter(request -> !request.ok() && request.start() > since)
                .filter(request -> absences.stream()
                        .noneMatch(absence -> request.start() <= absence[1] && request.end() >= absence[0]))
                .toList();
    }

    /** From the last look before the router does not answer to the first at which it answers and has an engine. */
    private List<double[]> absences() {
        List<double[]> absences = new ArrayList<>();
        boolean away = false;
        double last = 0;
        for (Look look : looks) {
            boolean isAway = !look.answered() || (away && look.healthy().isEmpty());
            if (isAway && !away) {
                absences.add(new double[] {last, Double.MAX_VALUE});
            } else if (away && !isAway) {
                absences.get(absences.size() - 1)[1] = look.at();
            }
            away = isAway;
            last = look.at();
        }
        return absences;
    }

    /** How requests failed, and how many did so. */
    static Map<String, Integer> failures(List<Sent> requests) {
        Map<String, Integer> kinds = new TreeMap<>();
        requests.stream()
                .filter(request -> !request.ok())
                .forEach(request -> kinds.merge(request.kind(), 1, Integer::sum));
        return kinds;
    }

    @Override
    public void close() {
        process.close();
    }
}
