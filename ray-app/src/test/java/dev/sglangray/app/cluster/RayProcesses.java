/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.util.regex.Pattern;

/** Tells Ray's own long-lived processes from those that a test brought. */
final class RayProcesses {

    private static final Pattern RAYLET = Pattern.compile("^\\S*/raylet/raylet(\\s|$)");
    private static final Pattern GCS = Pattern.compile("^\\S*/gcs/gcs_server(\\s|$)");

    /** Processes of a running cluster that may come and go by themselves, such as idle Python workers. */
    private static final Pattern INFRASTRUCTURE = Pattern.compile(String.join(
            "|",
            RAYLET.pattern(),
            GCS.pattern(),
            "/ray start ",
            "^ray::IDLE",
            "^ray::DashboardAgent",
            "^ray::RuntimeEnvAgent",
            "^ray-dashboard-",
            "/ray/dashboard/",
            "/ray/_private/(log_monitor|runtime_env|workers/default_worker|workers/setup_worker)",
            "/ray/autoscaler/_private/monitor\\.py"));

    private RayProcesses() {}

    static boolean isRaylet(ProcessRow row) {
        return RAYLET.matcher(row.command()).find();
    }

    static boolean isGcs(ProcessRow row) {
        return GCS.matcher(row.command()).find();
    }

    static boolean isInfrastructure(ProcessRow row) {
        // A Java worker's command line names Ray's Python files too.
        return INFRASTRUCTURE.matcher(row.command()).find() && !row.command().contains("io.ray.runtime");
    }
}
