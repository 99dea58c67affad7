/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;

/** A second driver, which finds a fleet that another one launched, and leaves it running. */
public final class AttachDriver {

    private AttachDriver() {}

    public static void main(String[] arguments) {
        try (RaySession session = DriverSupport.connect();
                ServerGroup servers = ServerGroup.attach("SGLangServerGroup");
                RouterGroup router = RouterGroup.attach("SGLangRouterGroup")) {
            System.out.println("attached to " + servers.size() + " engines, router "
                    + router.getRouterUrl().awaitSingle());
            System.out.println("healthy " + servers.isHealthy().await() + " "
                    + router.isHealthy().await());
            System.out.println(
                    isThere("NoSuchGroup") ? "found what is not there" : "a group of that name is not there");
            System.out.println("session of namespace " + session.namespace());
        }
    }

    private static boolean isThere(String group) {
        try (ServerGroup found = ServerGroup.attach(group)) {
            return found.size() > 0;
        } catch (WorkerException missing) {
            return false;
        }
    }
}
