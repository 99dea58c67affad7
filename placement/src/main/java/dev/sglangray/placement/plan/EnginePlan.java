/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One engine of a fleet: where it goes and how it is started. An engine with more accelerators than a node has spans several
 * nodes, with a part on each. Part 0 serves; questions about "its" node, placement, bundle and so on are answered for that part.
 *
 * @param rank its rank in the server group
 * @param groupName the server group
 * @param pool the pool that it is of; empty in a fleet that names no pools
 * @param serverType {@code srt} or {@code embodied}, as configured
 * @param serverArgs the configured arguments; host, port, nnodes, node_rank and dist_init_addr are chosen at run time
 * @param parts its parts, by SGLang's {@code node_rank}; at least one, each on a node of its own
 */
public record EnginePlan(
        int rank,
        String groupName,
        String pool,
        String serverType,
        Map<String, @Nullable Object> serverArgs,
        List<EnginePart> parts) {
    /** Copies map and list. */
    public EnginePlan {
        serverArgs = OrderedMap.copyOf(serverArgs);
        parts = List.copyOf(parts);
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("engine " + rank + " has no part");
        }
    }

    /** The part that serves. */
    public EnginePart first() {
        return parts.get(0);
    }

    /** The node of part 0. */
    public NodeInfo node() {
        return first().node();
    }

    /** The place of part 0. */
    public Placement placement() {
        return first().placement();
    }

    /** The bundle of part 0. */
    public int bundleIndex() {
        return first().bundleIndex();
    }

    /** What the actor of part 0 takes of its bundle, by Ray's names. */
    public Map<String, Double> resources() {
        return first().resources();
    }

    /** The variables of part 0. */
    public Map<String, String> environment() {
        return first().environment();
    }

    /** The Python of part 0, or null for the default. */
    public @Nullable String pythonInterpreter() {
        return first().pythonInterpreter();
    }

    /** The addresses of its nodes, by part. */
    public List<String> nodeIps() {
        return parts.stream().map(part -> part.node().ip()).toList();
    }

    /** Whether it spans nodes. */
    public boolean spansNodes() {
        return parts.size() > 1;
    }

    /** The same engine, in this Python where a node group names none. */
    EnginePlan withDefaultPython(String python) {
        return with(parts.stream().map(part -> part.withDefaultPython(python)).toList());
    }

    private EnginePlan with(List<EnginePart> others) {
        return new EnginePlan(rank, groupName, pool, serverType, serverArgs, others);
    }

    /**
     * The engine of another rank in this one's place: same accelerators, same bundles.
     *
     * @param worldSize how many engines the group has then
     */
    public EnginePlan atRank(int other, int worldSize) {
        List<EnginePart> moved = parts.stream()
                .map(part -> {
                    Map<String, String> variables = new LinkedHashMap<>(part.environment());
                    variables.putAll(SchedulerEnvironment.ofRank(groupName, other, worldSize));
                    return new EnginePart(
                            part.node(),
                            part.placement().atRank(other),
                            part.bundleIndex(),
                            part.resources(),
                            variables,
                            part.pythonInterpreter());
                })
                .collect(Collectors.toList());
        return new EnginePlan(other, groupName, pool, serverType, serverArgs, moved);
    }

    /** The name of the actor of part 0, {@code <group>:<rank>}. */
    public String actorName() {
        return actorName(0);
    }

    /** The name of the actor of a part: {@code <group>:<rank>} for part 0, {@code <group>:<rank>/<part>} for the others. */
    public String actorName(int part) {
        return groupName + ":" + rank + (part == 0 ? "" : "/" + part);
    }

    /** How many accelerators it is given on all of its nodes; 0 on a node placement. */
    public int accelerators() {
        return parts.stream()
                .mapToInt(part -> part.placement().localHardwareRanks().size())
                .sum();
    }
}
