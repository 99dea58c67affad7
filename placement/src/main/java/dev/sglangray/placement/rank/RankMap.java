/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.rank;

import dev.sglangray.config.tree.PythonText;
import dev.sglangray.placement.PlacementException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A placement as RLinf writes it: {@code resource_ranks[:process_ranks], ...}, as in {@code "0-1:0-3,3-5,7-10:7-14"}.
 *
 * <p>Resource ranks ascend and never repeat; process ranks follow each other without a gap, and continue
 * where the part before ended when they are left out. Of the two counts of a part one divides the other.
 *
 * @param parts the parts in order
 */
public record RankMap(List<Part> parts) {
    /** One part: some resources and the processes that share them evenly. */
    record Part(List<Integer> resources, List<Integer> processes) {}

    public RankMap {
        parts = List.copyOf(parts);
    }

    /**
     * Parses a placement.
     *
     * @param placement text or whole number, as YAML gives it
     * @param resourceCount how many resources there are; ranks run from 0
     * @param kind what the resources are, for messages
     * @throws PlacementException when it cannot be read or breaks a rule above
     */
    public static RankMap parse(@Nullable Object placement, int resourceCount, String kind) {
        RankExpression.Known available = RankExpression.Known.upTo(resourceCount);
        if (placement instanceof List || placement instanceof java.util.Map) {
            throw PlacementException.of("a placement is text like \"0-3\" or \"all\", not a list or a mapping");
        }
        if (!(placement instanceof String)) {
            return new RankMap(List.of(
                    part(RankExpression.within(placement, available, kind), List.of(), -1, PythonText.str(placement))));
        }
        String text = PythonText.str(placement);
        List<Part> parts = new ArrayList<>();
        int lastResource = -1;
        int lastProcess = -1;
        for (String piece : RankText.strip(text).split(",", -1)) {
            String trimmed = RankText.strip(piece);
            if (trimmed.isEmpty()) {
                continue;
            }
            String[] sides = trimmed.split(":", -1);
            if (sides.length > 2) {
                throw PlacementException.of(
                        "\"%s\" has more than one colon; expected resource_ranks:process_ranks".formatted(trimmed));
            }
            List<Integer> resources = RankExpression.within(RankText.strip(sides[0]), available, kind);
            if (!resources.isEmpty() && resources.get(0) <= lastResource) {
                throw PlacementException.of("%s rank %d is named again or out of order in \"%s\": ranks must ascend"
                        .formatted(kind, resources.get(0), text));
            }
            Part part = sides.length == 2
                    ? part(resources, processes(RankText.strip(sides[1]), trimmed), lastProcess, text)
                    : part(resources, List.of(), lastProcess, text);
            parts.add(part);
            lastResource = last(part.resources());
            lastProcess = last(part.processes());
        }
        return new RankMap(parts);
    }

    private static List<Integer> processes(String expression, String piece) {
        List<Integer> processes = RankExpression.within(expression, null, "process");
        if (processes.isEmpty()) {
            throw PlacementException.of("\"%s\" names no process ranks after the colon".formatted(piece));
        }
        return processes;
    }

    private static Part part(List<Integer> resources, List<Integer> named, int lastProcess, String text) {
        if (resources.isEmpty()) {
            throw PlacementException.of("a part of \"%s\" names no resource ranks".formatted(text));
        }
        List<Integer> processes = named.isEmpty()
                ? IntStream.rangeClosed(lastProcess + 1, lastProcess + resources.size())
                        .boxed()
                        .toList()
                : named;
        if (lastProcess >= 0 && processes.get(0) != lastProcess + 1) {
            throw PlacementException.of("process ranks in \"%s\" must follow each other: expected %d, not %d"
                    .formatted(text, lastProcess + 1, processes.get(0)));
        }
        if (last(processes) - processes.get(0) + 1 != processes.size()) {
            throw PlacementException.of(
                    "process ranks %s in \"%s\" have a gap".formatted(RankExpression.describe(processes), text));
        }
        if (processes.size() % resources.size() != 0 && resources.size() % processes.size() != 0) {
            throw PlacementException.of(
                    "%d processes cannot share %d resources evenly in \"%s\": one count must divide the other"
                            .formatted(processes.size(), resources.size(), text));
        }
        return new Part(resources, processes);
    }

    private static int last(List<Integer> ranks) {
        return ranks.get(ranks.size() - 1);
    }

    /** How many processes there are. */
    public int worldSize() {
        return parts.stream().mapToInt(part -> part.processes().size()).sum();
    }

    /** The rank of the first process as written; 0 unless the text says otherwise. */
    public int firstProcess() {
        return parts.isEmpty() ? 0 : parts.get(0).processes().get(0);
    }

    /** All resource ranks, ascending. */
    public List<Integer> resources() {
        return parts.stream().flatMap(part -> part.resources().stream()).toList();
    }

    /** The resources of each process, by ascending process rank. */
    public List<List<Integer>> resourcesByProcess() {
        List<List<Integer>> all = new ArrayList<>();
        for (Part part : parts) {
            int resources = part.resources().size();
            int processes = part.processes().size();
            int perProcess = Math.max(1, resources / processes);
            int perResource = Math.max(1, processes / resources);
            for (int i = 0; i < processes; i++) {
                int first = i / perResource * perProcess;
                all.add(List.copyOf(part.resources().subList(first, first + perProcess)));
            }
        }
        return all;
    }
}
