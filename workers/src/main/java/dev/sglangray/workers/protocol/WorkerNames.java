/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

/** How actors are named: as RLinf names them. */
public final class WorkerNames {
    private WorkerNames() {}

    public static String actor(String group, int rank) {
        return group + ":" + rank;
    }
}
