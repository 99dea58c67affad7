/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.util.regex.Pattern;

/** Tells Ray's own long-lived processes from those that a test brought. */
final class RayProcesses {

    private static final Pattern RAYLET = Pattern.compile("^\\S*/raylet/raylet(\\s|$)");
    private static final Pattern GCS = Pattern.compile("^\\S*/gcs/gcs_server(\\s|$)");

    /** Python workers that a running cluster starts and ends by itself. */
    private static final Pattern COMES_AND_GOES =
            Pattern.compile("^ray::IDLE|/ray/_private/workers/(default_worker|setup_worker)\\.py");

    private RayProcesses() {}

    static boolean isRaylet(ProcessRow row) {
        return RAYLET.matcher(row.command()).find();
    }

    static boolean isGcs(ProcessRow row) {
        return GCS.matcher(row.command()).find();
    }

    /** What a node consists of, as opposed to what runs on it. */
    static boolean isRays(ProcessRow row) {
        // A raylet's command line has that of its Java workers in it.
        return isRaylet(row)
                || (!row.command().contains("io.ray.runtime")
                        && !row.command().contains("sglang_ray")
                        && !comesAndGoes(row));
    }

    static boolean comesAndGoes(ProcessRow row) {
        // A Java worker's command line names Ray's Python files too.
        return COMES_AND_GOES.matcher(row.command()).find() && !row.command().contains("io.ray.runtime");
    }
}
