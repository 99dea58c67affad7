/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cli.LookingDriver;
import dev.sglangray.app.cluster.InsideProcess;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/**
 * Looks at the fleet's verdict every second and says which verdicts were not true. They are compared with the router's own list,
 * which the load reads, and with each engine's own answer. A verdict is made of answers that take time, and some faults are
 * found by probes only; so these are not true:
 *
 * <ul>
 *   <li>no verdict at all: the look failed;
 *   <li><i>healthy</i>, when one thing was wrong throughout the look and for a time before it: for {@value #LISTED} s, an engine
 *       was not on the list of a router that answered; for {@value #GONE} s, the router did not answer or nothing listened at
 *       an engine's port; for {@value #HANGS} s, an engine did not answer;
 *   <li><i>lost</i>, when throughout the look and the second before it the router answered and listed an engine that answered;
 *   <li>another than <i>healthy</i>, at every look for {@value #ALARM} s in which nothing was wrong. A worker that stands still
 *       is no fault of the service, and the verdict may say so for so long.
 * </ul>
 *
 * Not thread-safe.
 */
final class VerdictWatch implements AutoCloseable {
    private static final double LISTED = 2;
    private static final double GONE = 5;
    private static final double HANGS = 12;
    private static final double ALARM = 8;

    private final FaultScene scene;
    private final InsideProcess process;
    private final List<Look> looks = new ArrayList<>();
    private final List<Answers> answers = new ArrayList<>();
    private long read;
    private int judged;

    /** One look at the verdict. */
    private record Look(double from, double to, String verdict, String words) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%.1f to %.1f %s: %s", from, to, verdict, words);
        }
    }

    /** What each engine answered by itself. */
    private record Answers(double at, Map<String, String> engines) {}

    VerdictWatch(FaultScene scene) {
        this.scene = scene;
        process = new Driver(scene.cluster, LookingDriver.class)
                .start(Cli.config("fleet.yaml"), scene.engines.toArray(String[]::new));
        process.awaitOutput("\"verdict\"", Cli.DEADLINE);
    }

    private double sampledUntil() {
        return answers.isEmpty()
                ? 0
                : Math.min(
                        scene.load.last().at(), answers.get(answers.size() - 1).at());
    }

    /** The looks since the last call whose verdicts were not true, in words. */
    List<String> wrong() {
        refresh();
        List<String> wrong = new ArrayList<>();
        for (; judged < looks.size() && looks.get(judged).to() < sampledUntil(); judged++) {
            Look look = looks.get(judged);
            String why = judge(look);
            if (!why.isEmpty()) {
                wrong.add(why + "; " + look);
            }
        }
        return wrong;
    }

    /** How many looks there were, by verdict. */
    Map<String, Integer> verdicts() {
        Map<String, Integer> verdicts = new TreeMap<>();
        looks.forEach(look -> verdicts.merge(look.verdict(), 1, Integer::sum));
        return verdicts;
    }

    /** How long the slowest look took, in seconds. */
    double slowest() {
        return looks.stream().mapToDouble(look -> look.to() - look.from()).max().orElse(0);
    }

    private String judge(Look look) {
        return switch (look.verdict()) {
            case "HEALTHY" -> fault(look);
            case "LOST" ->
                scene.engines.stream().anyMatch(engine -> served(engine, look.from() - 1, look.to()))
                        ? "requests were served"
                        : "";
            case "HEALING", "DEGRADED" -> falseAlarm(look);
            default -> "the look failed";
        };
    }

    /** What was wrong for too long to be overlooked; empty for nothing. */
    private String fault(Look look) {
        if (listed(look.from() - GONE, look.to(), seen -> !seen.answered())) {
            return "the router did not answer";
        }
        for (String engine : scene.engines) {
            if (listed(
                    look.from() - LISTED,
                    look.to(),
                    seen -> seen.answered() && !seen.healthy().contains(engine))) {
                return engine + " was not on the router's list";
            }
            if (answered(engine, look.from() - GONE, look.to(), "refuses"::equals)) {
                return "nothing listened at " + engine;
            }
            if (answered(engine, look.from() - HANGS, look.to(), answer -> !answer.equals("answers"))) {
                return engine + " did not answer";
            }
        }
        return "";
    }

    private String falseAlarm(Look look) {
        double since = looks.subList(0, judged).stream()
                .filter(before -> before.verdict().equals("HEALTHY"))
                .mapToDouble(Look::to)
                .max()
                .orElse(looks.get(0).from());
        double from = Math.max(since, look.to() - ALARM);
        boolean well = look.to() - since > ALARM && scene.engines.stream().allMatch(e -> served(e, from, look.to()));
        return well ? "nothing was wrong" : "";
    }

    private boolean served(String engine, double from, double to) {
        return listed(from, to, seen -> seen.healthy().contains(engine))
                && answered(engine, from, to, "answers"::equals);
    }

    private boolean listed(double from, double to, Predicate<SteadyLoad.Look> wanted) {
        return throughout(scene.load.looks(), SteadyLoad.Look::at, from, to, wanted);
    }

    private boolean answered(String engine, double from, double to, Predicate<String> wanted) {
        return throughout(
                answers, Answers::at, from, to, one -> wanted.test(one.engines().getOrDefault(engine, "")));
    }

    /** What is between two samples may be as the first or as the second: the last before the time and the first after it count too. */
    private static <T> boolean throughout(
            List<T> samples, ToDoubleFunction<T> at, double from, double to, Predicate<T> wanted) {
        int first = samples.size() - 1;
        while (first > 0 && at.applyAsDouble(samples.get(first)) > from) {
            first--;
        }
        for (T one : samples.subList(Math.max(0, first), samples.size())) {
            if (!wanted.test(one)) {
                return false;
            }
            if (at.applyAsDouble(one) >= to) {
                return true;
            }
        }
        return false;
    }

    private void refresh() {
        scene.load.refresh();
        if (!process.isAlive()) {
            throw new AssertionError("the looks ended: " + process.stderr());
        }
        String text = process.linesFrom(read);
        text.lines().filter(line -> line.startsWith("{")).map(Cli::parse).forEach(this::take);
        read += text.getBytes(StandardCharsets.UTF_8).length;
    }

    private void take(JsonNode line) {
        if (line.has("engines")) {
            Map<String, String> engines = new TreeMap<>();
            line.path("engines")
                    .properties()
                    .forEach(engine ->
                            engines.put(engine.getKey(), engine.getValue().asText()));
            answers.add(new Answers(line.path("at").asDouble(), engines));
        } else {
            looks.add(new Look(
                    line.path("from").asDouble(),
                    line.path("to").asDouble(),
                    line.path("verdict").asText(),
                    line.path("words").asText()));
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
