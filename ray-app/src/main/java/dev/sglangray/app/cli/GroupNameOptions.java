/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
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

    /** That neither group lives, in words. */
    String nobody(String namespace) {
        return "there is no fleet with the groups '" + group + "' and '" + routerGroup + "' in namespace '" + namespace
                + "'";
    }

    /** The engines, if they live. */
    Optional<ServerGroup> servers() {
        try {
            return Optional.of(ServerGroup.attach(group));
        } catch (WorkerException e) {
            return Optional.empty();
        }
    }

    /** The router, if it lives. */
    Optional<RouterGroup> router() {
        try {
            return Optional.of(RouterGroup.attach(routerGroup));
        } catch (WorkerException e) {
            return Optional.empty();
        }
    }
}
