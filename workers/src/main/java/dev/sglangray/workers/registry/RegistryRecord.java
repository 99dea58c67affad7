/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import dev.sglangray.workers.loop.Lease;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ServerEndpoint;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a successor of the router's worker must know. Whether an engine may get requests is not part of it: the successor asks each
 * engine's worker. Holds no keys. Immutable; lies as JSON on the node.
 *
 * @param members the registered servers
 * @param unregistered the epochs at which the last engines were unregistered, by key: a registration that was asked for before is
 *     void, however late it arrives
 * @param weights what weights they must have
 * @param change the change of the fleet that is under way; null for none
 */
public record RegistryRecord(
        List<KeptMember> members,
        Map<String, Long> unregistered,
        FleetWeights weights,
        @Nullable KeptChange change) {
    /** Nothing is registered. */
    public static final RegistryRecord EMPTY = new RegistryRecord(List.of(), Map.of(), FleetWeights.INITIAL, null);

    /** Copies list and map. */
    public RegistryRecord {
        members = List.copyOf(members);
        unregistered = Collections.unmodifiableMap(new LinkedHashMap<>(unregistered));
    }

    /**
     * One registered server.
     *
     * @param endpoint where it is, without its key
     * @param epoch of its worker's last report
     * @param version the weights that a server without a worker said it has; null for none
     * @param hasKey whether a key guards it
     */
    public record KeptMember(
            ServerEndpoint endpoint, long epoch, @Nullable String version, boolean hasKey) {}

    /**
     * A change of the fleet.
     *
     * @param kind in words
     * @param token of its owner
     * @param lease when it ends by itself
     */
    public record KeptChange(String kind, String token, Lease lease) {
        /** As a successor has it. */
        KeptChange takenOver(Instant now) {
            return new KeptChange(kind, token, lease.takenOver(now));
        }
    }
}
