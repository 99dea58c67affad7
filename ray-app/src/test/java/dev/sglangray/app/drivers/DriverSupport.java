/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.session.JobContext;
import dev.sglangray.app.session.RayAddress;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.config.Config;
import dev.sglangray.config.ConfigLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** What the drivers share: their configuration from the arguments, their session from the environment. */
public final class DriverSupport {

    private DriverSupport() {}

    /** The configuration file is the first argument, overrides are the others. */
    static Config config(String[] arguments) {
        List<String> overrides = Arrays.asList(arguments).subList(1, arguments.length);
        return ConfigLoader.builder()
                .configFile(Path.of(arguments[0]))
                .overrides(overrides)
                .environment(System.getenv())
                .load();
    }

    /** Joins the cluster of RAY_ADDRESS. */
    public static RaySession connect() {
        JobContext job = JobContext.from(System.getenv());
        RayAddress address = RayAddress.parse(job.address().orElseThrow(), "RAY_ADDRESS");
        Path jar = Path.of(System.getProperty("sglangray.jar", ""));
        return RaySession.connect(address, RaySession.DEFAULT_NAMESPACE, jar, job, address.host());
    }
}
