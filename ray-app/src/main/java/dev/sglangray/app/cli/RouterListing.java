/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.workers.RegisteredServer;
import dev.sglangray.workers.WorkerStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the router lists, compared with what the engines' workers say. Pure.
 *
 * @param servers the servers; empty when the router did not answer
 * @param problem why there is no list, in words
 */
record RouterListing(List<RegisteredServer> servers, Optional<String> problem) {
    /** For a fleet without a router, or whose router does not run. */
    static final Optional<RouterListing> NONE = Optional.empty();

    /** Copies the list. */
    RouterListing {
        servers = List.copyOf(servers);
    }

    static RouterListing of(List<RegisteredServer> servers) {
        return new RouterListing(servers, Optional.empty());
    }

    static RouterListing unknown(String why) {
        return new RouterListing(List.of(), Optional.of("the router does not tell its servers: " + why));
    }

    /** Each difference that costs requests, in words: engines that are ready and that the router does not use. */
    List<String> faults(List<WorkerStatus> workers) {
        if (problem.isPresent()) {
            return List.of(problem.get());
        }
        Set<String> used = servers.stream()
                .filter(RegisteredServer::healthy)
                .map(server -> plain(server.url()))
                .collect(Collectors.toSet());
        Set<String> listed = servers.stream().map(server -> plain(server.url())).collect(Collectors.toSet());
        List<String> faults = new ArrayList<>();
        for (WorkerStatus worker : workers) {
            String url = worker.url();
            if (worker.kind().equals("server")
                    && worker.state().equals("READY")
                    && url != null
                    && !used.contains(plain(url))) {
                faults.add("engine " + worker.rank() + " is ready, but the router "
                        + (listed.contains(plain(url)) ? "takes it for unhealthy" : "does not list it"));
            }
        }
        return faults;
    }

    /** The servers that no engine of the fleet is, in words: they were registered by URL. */
    List<String> strangers(List<WorkerStatus> workers) {
        Set<String> own = workers.stream()
                .map(WorkerStatus::url)
                .filter(Objects::nonNull)
                .map(RouterListing::plain)
                .collect(Collectors.toSet());
        return servers.stream()
                .map(RegisteredServer::url)
                .filter(url -> !own.contains(plain(url)))
                .map(url -> url + " is registered by URL")
                .toList();
    }

    private static String plain(String url) {
        return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    }
}
