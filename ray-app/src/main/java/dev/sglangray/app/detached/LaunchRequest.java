/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an owner launches; travels as JSON.
 *
 * @param configuration the section {@code cluster} and the launcher's block, resolved
 * @param component the component that places the engines, or null for the usual one
 * @param argsKey the dotted key of the launcher's block
 * @param explicitPlacement whether the component's own strategy is used
 * @param routerNodeRank the router's node
 * @param pythonInterpreter the Python of engines and router, or null for the nodes' own
 * @param javaJars where actors load the application's jar from; empty for the job's class path
 * @param reserveSeconds the deadline of the placement group
 * @param healthSeconds the deadline of an engine's start
 */
record LaunchRequest(
        Map<String, Object> configuration,
        @Nullable String component,
        String argsKey,
        boolean explicitPlacement,
        int routerNodeRank,
        @Nullable String pythonInterpreter,
        List<String> javaJars,
        long reserveSeconds,
        long healthSeconds) {}
