/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    /**
     * One server.
     *
     * @param endpoint what the router must know of it
     * @param active whether the router is to send to it now
     */
    record Entry(ServerEndpoint endpoint, boolean active) {}

    /** As it is kept. */
    record Kept(List<KeptServer> servers) {
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
            boolean active) {}

    Roster(MemoryFile file) {
        this.file = file;
    }

    /** Takes over what a predecessor kept. */
    synchronized void inherit() {
        file.load(Kept.class)
                .ifPresent(kept -> kept.servers()
                        .forEach(s -> entries.put(
                                s.url(),
                                new Entry(
                                        new ServerEndpoint(s.url(), s.workerType(), s.bootstrapPort(), null, s.actor()),
                                        s.active()))));
    }

    synchronized void add(ServerEndpoint endpoint) {
        entries.put(endpoint.url(), new Entry(endpoint, true));
        keep();
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

    /** Whether it is a member, which then is active under its new URL. */
    synchronized boolean resume(String oldUrl, ServerEndpoint endpoint) {
        boolean member = entries.containsKey(oldUrl) || entries.containsKey(endpoint.url());
        if (member) {
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
            servers.add(new KeptServer(e.url(), e.workerType(), e.bootstrapPort(), e.actor(), entry.active()));
        }
        file.save(new Kept(servers));
    }
}
