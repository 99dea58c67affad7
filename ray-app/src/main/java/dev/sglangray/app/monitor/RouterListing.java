/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the router lists, compared with what the engines' workers say. Pure.
 *
 * @param servers the servers; empty when the router did not answer
 * @param reasons why the registry's servers are not listed, by URL; those without an entry are
 * @param external the servers that the configuration names as kept by others, those that are not listed too
 * @param foreign URLs that the router lists and no engine or program registered
 * @param problem why there is no list, in words
 */
public record RouterListing(
        List<RegisteredServer> servers,
        Map<String, String> reasons,
        List<RegisteredServer> external,
        List<String> foreign,
        Optional<String> problem) {
    /** For a fleet without a router, or whose router does not run. */
    public static final Optional<RouterListing> NONE = Optional.empty();

    /** Copies the lists. */
    public RouterListing {
        servers = List.copyOf(servers);
        reasons = Map.copyOf(reasons);
        external = List.copyOf(external);
        foreign = List.copyOf(foreign);
    }

    static RouterListing of(List<RegisteredServer> servers) {
        return new RouterListing(servers, Map.of(), List.of(), List.of(), Optional.empty());
    }

    /** As the registry sees it. */
    public static RouterListing of(RegistryView view) {
        List<RegisteredServer> servers = new ArrayList<>();
        Map<String, String> reasons = new LinkedHashMap<>();
        List<RegisteredServer> external = new ArrayList<>();
        for (RegistryView.MemberView member : view.members()) {
            if (member.external()) {
                external.add(new RegisteredServer(
                        Objects.requireNonNullElse(member.id(), ""),
                        member.url(),
                        member.workerType(),
                        member.model(),
                        member.listed()));
            }
            if (member.id() != null) {
                servers.add(new RegisteredServer(
                        member.id(), member.url(), member.workerType(), member.model(), member.listed()));
            }
            if (!member.wanted() || !member.listed()) {
                reasons.put(plain(member.url()), member.why());
            }
        }
        return view.problem() == null
                ? new RouterListing(servers, reasons, external, view.foreign(), Optional.empty())
                : unknown(view.problem());
    }

    /** When there is no answer. */
    public static RouterListing unknown(String why) {
        return new RouterListing(
                List.of(), Map.of(), List.of(), List.of(), Optional.of("the router does not tell its servers: " + why));
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
            if (worker.identity().kind().equals("server")
                    && worker.state().equals("READY")
                    && url != null
                    && !used.contains(plain(url))) {
                String why = reasons.getOrDefault(plain(url), "");
                faults.add("engine " + worker.identity().rank() + " is ready, but the router "
                        + (listed.contains(plain(url)) ? "takes it for unhealthy" : "does not list it")
                        + (why.isEmpty() ? "" : ": " + why));
            }
        }
        Set<String> engines = own(workers);
        reasons.forEach((url, why) -> {
            if (!engines.contains(url)) {
                faults.add((isExternal(url) ? "external engine " + url : url + " is registered, but")
                        + " gets no requests: " + why);
            }
        });
        foreign.forEach(url -> faults.add("the router sends to " + url + ", which no worker registered"));
        return faults;
    }

    /** The servers that no engine of the fleet is, in words: they were registered by URL. */
    List<String> strangers(List<WorkerStatus> workers) {
        Set<String> own = own(workers);
        return servers.stream()
                .filter(server -> !own.contains(plain(server.url())))
                .map(server -> isExternal(plain(server.url()))
                        ? server.url() + " is an external engine"
                                + (server.modelId() == null ? "" : " of model '" + server.modelId() + "'")
                        : server.url() + " is registered by URL")
                .toList();
    }

    private boolean isExternal(String url) {
        return external.stream().anyMatch(server -> plain(server.url()).equals(url));
    }

    /** The servers that no engine of the fleet is, those too that the router is to have and does not. */
    List<RegisteredServer> others(List<WorkerStatus> workers) {
        Set<String> own = own(workers);
        Map<String, RegisteredServer> others = new LinkedHashMap<>();
        Stream.concat(external.stream(), servers.stream())
                .filter(server -> !own.contains(plain(server.url())))
                .forEach(server -> others.put(plain(server.url()), server));
        return List.copyOf(others.values());
    }

    private static Set<String> own(List<WorkerStatus> workers) {
        return workers.stream()
                .map(WorkerStatus::url)
                .filter(Objects::nonNull)
                .map(RouterListing::plain)
                .collect(Collectors.toSet());
    }

    private static String plain(String url) {
        return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    }
}
