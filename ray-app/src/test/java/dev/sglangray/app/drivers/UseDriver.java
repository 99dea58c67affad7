/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;

/** A second driver that uses every handle of a fleet, and shuts it down. */
public final class UseDriver {

    private UseDriver() {}

    public static void main(String[] arguments) {
        try (RaySession session = DriverSupport.connect();
                ServerGroup servers = ServerGroup.attach("SGLangServerGroup");
                RouterGroup router = RouterGroup.attach("SGLangRouterGroup")) {
            GuideDriver.use(servers, router);
            System.out.println("session of namespace " + session.namespace());
        }
    }
}
