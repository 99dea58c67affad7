/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.app.monitor.OwnerUrls;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a program that attaches learns of a fleet. Travels as JSON.
 *
 * @param serverGroup the server group's name, or null
 * @param routerGroup the router group's name, or null
 * @param placementGroup Ray's placement group, or null where the fleet needs none
 * @param engines where each engine lies, by rank
 * @param urls where the owner serves what it sees
 */
public record GatewayFacts(
        @Nullable String serverGroup,
        @Nullable String routerGroup,
        @Nullable Group placementGroup,
        List<Engine> engines,
        OwnerUrls urls) {
    /** Copies the list. */
    public GatewayFacts {
        engines = List.copyOf(engines);
        if (serverGroup == null && routerGroup == null) {
            throw new IllegalArgumentException("a fleet has engines or a router");
        }
    }

    /**
     * A placement group.
     *
     * @param id its id in hexadecimal digits, by which it is found from any namespace
     * @param name its name
     */
    public record Group(String id, String name) {}

    /**
     * An engine.
     *
     * @param rank its rank
     * @param bundle its bundle in its placement group
     * @param nodeIp its node's address
     * @param group the id of its placement group, which is another than the fleet's for engines that came later
     */
    public record Engine(int rank, int bundle, String nodeIp, String group) {}

    /** The actor's name, {@code <server group>:gateway}, or after the router group where there are no engines. */
    public String actorName() {
        return actorName(serverGroup != null ? serverGroup : String.valueOf(routerGroup));
    }

    /** The name of a fleet's gateway by the name that the fleet goes by. */
    public static String actorName(String group) {
        return group + ":gateway";
    }
}
