/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a fleet's workers and its router say, and what follows from it: the same for all that show a fleet. Immutable.
 *
 * @param workers router first, then engines by rank; a worker that does not answer is {@link WorkerStatus#GONE}
 * @param listing what the router lists; empty without a router that runs
 */
public record FleetCondition(List<WorkerStatus> workers, Optional<RouterListing> listing) {
    /** Copies the list. */
    public FleetCondition {
        workers = List.copyOf(workers);
    }

    /** How the fleet is, in one word. */
    public FleetHealth verdict() {
        return FleetHealth.of(workers, others(), faults());
    }

    /** What no engine does, and what is wrong between router and engines, in words. */
    public List<String> faults() {
        return Stream.concat(
                        FleetHealth.gaps(workers, others()).stream(),
                        listing.map(router -> router.faults(workers)).stream().flatMap(List::stream))
                .toList();
    }

    /** The servers that no engine of the fleet is, in words. */
    public List<String> strangers() {
        return listing.map(router -> router.strangers(workers)).orElse(List.of());
    }

    /** The servers that the router has, or is to have, and no engine of the fleet is. */
    private List<RegisteredServer> others() {
        return listing.map(router -> router.others(workers)).orElse(List.of());
    }

    /**
     * Where to send requests, without a slash at its end: the router's URL, or without a router an engine's; null when nothing
     * serves.
     */
    public @Nullable String apiUrl() {
        if (workers.stream()
                .allMatch(worker -> worker.url() == null || worker.state().equals("FAILED"))) {
            return null;
        }
        String first = workers.get(0).identity().kind();
        return workers.stream()
                .filter(worker -> worker.identity().kind().equals(first))
                .map(WorkerStatus::url)
                .filter(Objects::nonNull)
                .map(url -> url.endsWith("/") ? url.substring(0, url.length() - 1) : url)
                .findFirst()
                .orElse(null);
    }
}
