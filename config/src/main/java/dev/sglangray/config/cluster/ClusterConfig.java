/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.cluster;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code cluster} section, as in RLinf.
 *
 * @param numNodes how many nodes the cluster has, from 1
 * @param componentPlacement where components are placed, in the order written
 * @param nodeGroups labelled groups of nodes, in the order written
 * @param warnings what is probably not meant but can be used
 * @param position where the section was written
 */
public record ClusterConfig(
        int numNodes,
        List<ComponentConfig> componentPlacement,
        List<NodeGroupConfig> nodeGroups,
        List<ConfigProblem> warnings,
        SourcePosition position) {

    public ClusterConfig {
        componentPlacement = List.copyOf(componentPlacement);
        nodeGroups = List.copyOf(nodeGroups);
        warnings = List.copyOf(warnings);
    }

    /**
     * A section that was read to the end in spite of problems.
     *
     * @param cluster what could be read; null when nothing could. With errors it is for finding further ones only
     * @param problems errors and warnings
     */
    public record Checked(@Nullable ClusterConfig cluster, List<ConfigProblem> problems) {
        public Checked {
            problems = List.copyOf(problems);
        }
    }

    /** Reads the section to the end and collects what is wrong with it. */
    public static Checked check(Config root) {
        return new ClusterReader().check(root);
    }

    /**
     * Reads the section {@code cluster} of a whole configuration.
     *
     * @throws ConfigException with every problem that the section has
     */
    public static ClusterConfig from(Config root) {
        return new ClusterReader().read(root);
    }
}
