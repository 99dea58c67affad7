/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

/** How actors are named: as RLinf names them. */
public final class WorkerNames {
    private WorkerNames() {}

    public static String actor(String group, int rank) {
        return group + ":" + rank;
    }

    /** The actor of a part of an engine; that of part 0 is the engine's. */
    public static String part(String group, int rank, int part) {
        return actor(group, rank) + (part == 0 ? "" : "/" + part);
    }
}
