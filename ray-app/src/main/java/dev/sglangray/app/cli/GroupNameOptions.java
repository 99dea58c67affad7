/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which fleet, by the names of its groups. */
final class GroupNameOptions {
    @Option(
            names = {"--group"},
            paramLabel = "NAME",
            defaultValue = "SGLangServerGroup",
            description = "The engines' group (group_name). Default: ${DEFAULT-VALUE}")
    private String group = "SGLangServerGroup";

    @Option(
            names = {"--router-group"},
            paramLabel = "NAME",
            defaultValue = "SGLangRouterGroup",
            description = "The router's group (router_group_name). Default: ${DEFAULT-VALUE}")
    private String routerGroup = "SGLangRouterGroup";

    String group() {
        return group;
    }

    String routerGroup() {
        return routerGroup;
    }

    /**
     * What lives of the fleet.
     *
     * @throws NoFleetException when nothing does
     */
    LivingFleet require(RaySession session) {
        Optional<ServerGroup> servers = ServerGroup.find(group);
        Optional<RouterGroup> router = RouterGroup.find(routerGroup);
        if (servers.isEmpty() && router.isEmpty()) {
            throw nobody(session);
        }
        return new LivingFleet(session.namespace(), servers.orElse(null), router.orElse(null));
    }

    NoFleetException nobody(RaySession session) {
        return new NoFleetException("there is no fleet with the groups '" + group + "' and '" + routerGroup
                + "' in namespace '" + session.namespace() + "'");
    }
}
