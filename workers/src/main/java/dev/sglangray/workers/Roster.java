/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The servers that a router is to have, whichever of them it lists at the moment: what somebody registered and nobody took
 * away. Kept in a file without keys, for a successor. Safe for use by many threads.
 */
final class Roster {
    private final MemoryFile file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private FleetWeights weights = FleetWeights.INITIAL;

    /**
     * One server.
     *
     * @param endpoint what the router must know of it
     * @param active whether the router is to send to it now
     */
    record Entry(ServerEndpoint endpoint, boolean active) {}

    /** As it is kept. */
    record Kept(List<KeptServer> servers, @Nullable FleetWeights weights) {
        Kept {
            servers = List.copyOf(servers);
        }
    }

    /** One server as it is kept. */
    record KeptServer(
            String url,
            String workerType,
            @Nullable Integer bootstrapPort,
            @Nullable String actor,
            @Nullable String weightVersion,
            boolean active) {}

    Roster(MemoryFile file) {
        this.file = file;
    }

    /** Takes over what a predecessor kept. */
    synchronized void inherit() {
        file.load(Kept.class).ifPresent(kept -> {
            kept.servers().forEach(server -> entries.put(server.url(), entry(server)));
            weights = Objects.requireNonNullElse(kept.weights(), FleetWeights.INITIAL);
        });
    }

    private static Entry entry(KeptServer kept) {
        ServerEndpoint endpoint = new ServerEndpoint(
                kept.url(), kept.workerType(), kept.bootstrapPort(), null, kept.actor(), kept.weightVersion());
        return new Entry(endpoint, kept.active());
    }

    /** The weights that its servers are to have. */
    synchronized FleetWeights weights() {
        return weights;
    }

    /**
     * From now on its servers are to have these.
     *
     * @param mixing whether those with others stay for now
     * @return the servers that must not get requests any more
     */
    synchronized List<String> commit(FleetWeights fresh, boolean mixing) {
        weights = fresh;
        List<String> stale = new ArrayList<>();
        if (!mixing) {
            entries.values().stream()
                    .filter(entry -> entry.active() && !fits(entry.endpoint()))
                    .forEach(entry -> stale.add(entry.endpoint().url()));
            stale.forEach(url -> entries.computeIfPresent(url, (key, entry) -> new Entry(entry.endpoint(), false)));
        }
        keep();
        return stale;
    }

    private boolean fits(ServerEndpoint server) {
        Weights updated = weights.updated();
        return updated == null
                || server.weightVersion() == null
                || server.weightVersion().equals(updated.version());
    }

    /** Fails for a server that has other weights than its fleet. */
    synchronized void requireFits(ServerEndpoint server) {
        if (!fits(server)) {
            throw new WorkerFailure(
                    server.url() + " has weights of version " + server.weightVersion() + ", and the fleet those of "
                            + Objects.requireNonNull(weights.updated()).version());
        }
    }

    /** A {@link WorkerFailure} says that the server has other weights than the others. */
    synchronized void add(ServerEndpoint endpoint) {
        requireFits(endpoint);
        entries.put(endpoint.url(), new Entry(endpoint, true));
        keep();
    }

    /** Whether it is a member, active or not. */
    synchronized boolean knows(String url) {
        return entries.containsKey(url);
    }

    synchronized void remove(String url) {
        entries.remove(url);
        keep();
    }

    /** Whether it is a member; it stays one. */
    synchronized boolean suspend(String url) {
        Entry known = entries.computeIfPresent(url, (key, entry) -> new Entry(entry.endpoint(), false));
        keep();
        return known != null;
    }

    /** Whether it is a member, which then is active under its new URL; fails as {@link #add} does. */
    synchronized boolean resume(String oldUrl, ServerEndpoint endpoint) {
        boolean member = entries.containsKey(oldUrl) || entries.containsKey(endpoint.url());
        if (member) {
            requireFits(endpoint);
            entries.remove(oldUrl);
            entries.put(endpoint.url(), new Entry(endpoint, true));
            keep();
        }
        return member;
    }

    synchronized List<ServerEndpoint> active() {
        return entries.values().stream()
                .filter(Entry::active)
                .map(Entry::endpoint)
                .toList();
    }

    synchronized Set<String> suspended() {
        return entries.entrySet().stream()
                .filter(entry -> !entry.getValue().active())
                .map(Map.Entry::getKey)
                .collect(Collectors.toUnmodifiableSet());
    }

    /** The active server of a URL. */
    synchronized Optional<ServerEndpoint> active(String url) {
        return Optional.ofNullable(entries.get(url)).filter(Entry::active).map(Entry::endpoint);
    }

    void delete() {
        file.delete();
    }

    private void keep() {
        List<KeptServer> servers = new ArrayList<>();
        for (Entry entry : entries.values()) {
            ServerEndpoint e = entry.endpoint();
            servers.add(new KeptServer(
                    e.url(), e.workerType(), e.bootstrapPort(), e.actor(), e.weightVersion(), entry.active()));
        }
        file.save(new Kept(servers, weights));
    }
}
