/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.FleetState;
import dev.sglangray.app.gateway.GatewayFacts;
import dev.sglangray.app.session.RayLedger.NamedActor;
import dev.sglangray.placement.ray.LedgerSnapshot;
import dev.sglangray.workers.protocol.WorkerNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What Ray lists of the fleets of one namespace, and which fleet each part belongs to. Pure.
 *
 * @param namespace the namespace
 * @param actors its actors that have a name and are not dead
 * @param groups the placement groups of the cluster
 */
public record FleetTraces(String namespace, List<NamedActor> actors, List<LedgerSnapshot.Group> groups) {
    private static final String PREFIX = "sglang-ray/";
    private static final String ROUTER_CLASS = "SGLangRouterWorker";
    private static final Pattern RANK = Pattern.compile(":(0|[1-9][0-9]{0,8})");
    private static final Pattern PART = Pattern.compile(":(0|[1-9][0-9]{0,8})/[1-9][0-9]{0,5}");
    private static final Pattern FURTHER = Pattern.compile("/scale-[0-9]+(/nodes)?");

    /** Copies the lists. */
    public FleetTraces {
        actors = List.copyOf(actors);
        groups = List.copyOf(groups);
    }

    /** As far as a job created them. */
    FleetTraces ofJob(String job) {
        return new FleetTraces(
                namespace,
                actors.stream().filter(actor -> actor.job().equals(job)).toList(),
                groups.stream().filter(group -> group.job().equals(job)).toList());
    }

    /** The ranks of a group's workers, ascending. */
    public List<Integer> ranks(String group) {
        return named(group, RANK)
                .map(name -> Integer.valueOf(name.substring(group.length() + 1)))
                .sorted()
                .toList();
    }

    /** The actors of further parts of a group's engines. */
    private List<String> furtherParts(String group) {
        return named(group, PART).toList();
    }

    /** The names of actors that go on like this after a group's. */
    private Stream<String> named(String group, Pattern rest) {
        return actors.stream()
                .map(NamedActor::name)
                .filter(name -> name.startsWith(group)
                        && rest.matcher(name.substring(group.length())).matches());
    }

    /** The actors of further parts of engines that are none of these. */
    List<String> unknownParts(String group, Collection<Integer> known) {
        return furtherParts(group).stream()
                .filter(name -> known.stream().noneMatch(rank -> name.startsWith(WorkerNames.actor(group, rank) + "/")))
                .toList();
    }

    /** The group of the router that lives in a fleet's own placement group. */
    public Optional<String> routerGroup(String group) {
        Set<String> own =
                placementGroups(group).stream().map(LedgerSnapshot.Group::id).collect(Collectors.toSet());
        return actors.stream()
                .filter(actor -> actor.className().equals(ROUTER_CLASS)
                        && actor.name().endsWith(":0")
                        && own.contains(actor.group()))
                .map(actor -> actor.name().substring(0, actor.name().length() - 2))
                .findFirst();
    }

    /** The fleet's placement groups: that of its launch, and those of its further engines. */
    public List<LedgerSnapshot.Group> placementGroups(String group) {
        String launch = PREFIX + group;
        return groups.stream()
                .filter(each -> each.namespace().equals(namespace))
                .filter(each -> each.name().equals(launch) || isFurther(each.name(), launch))
                .toList();
    }

    private boolean isFurther(String name, String launch) {
        return name.startsWith(launch)
                && FURTHER.matcher(name.substring(launch.length())).matches()
                && !isFleet(name.substring(PREFIX.length()));
    }

    /** Whether a fleet goes by a name, as one does that was launched with a router alone. */
    public boolean isLaunched(String group) {
        return hasOwner(group) || !placementGroups(group).isEmpty();
    }

    /** Whether there is a fleet with such engines: {@code X/scale-1} may be one, and not engines that X got later. */
    private boolean isFleet(String group) {
        return hasOwner(group) || !ranks(group).isEmpty();
    }

    /** Whether an actor or a driver owns the fleet. */
    public boolean hasOwner(String group) {
        Set<String> owners = Set.of(DetachedFleets.ownerName(group), GatewayFacts.actorName(group));
        return actors.stream().anyMatch(actor -> owners.contains(actor.name()));
    }

    /** The ranks of engines that are where a fleet's owner wrote down that they are. */
    List<Integer> known(String group, FleetState state) {
        return ranks(group).stream()
                .filter(rank -> state.seat(rank)
                        .filter(seat -> groups.stream()
                                .anyMatch(each -> each.name().equals(seat.group())
                                        && each.id().equals(groupOf(group + ":" + rank))))
                        .isPresent())
                .toList();
    }

    /** Placement groups for further engines of a fleet that its owner has not written down. */
    List<LedgerSnapshot.Group> unknownGroups(String group, FleetState state) {
        return placementGroups(group).stream()
                .filter(each -> !each.name().equals(PREFIX + group))
                .filter(each ->
                        state.seats().stream().noneMatch(seat -> seat.group().equals(each.name())))
                .toList();
    }

    private String groupOf(String actor) {
        return actors.stream()
                .filter(each -> each.name().equals(actor))
                .map(NamedActor::group)
                .findFirst()
                .orElse("");
    }

    /** The placement groups of a fleet by the names of its groups. */
    List<LedgerSnapshot.Group> placementGroups(Optional<String> group, Optional<String> routerGroup) {
        return Stream.concat(group.stream(), routerGroup.stream())
                .flatMap(name -> placementGroups(name).stream())
                .toList();
    }

    /** As {@link #actors(Optional, Optional)}, with all that Ray lists of them. */
    List<NamedActor> rows(Optional<String> group, Optional<String> routerGroup) {
        Set<String> names = Set.copyOf(actors(group, routerGroup));
        return actors.stream().filter(actor -> names.contains(actor.name())).toList();
    }

    /** The actors of a fleet by name; the owner first, so that it does not react to the end of the others. */
    List<String> actors(Optional<String> group, Optional<String> routerGroup) {
        Set<String> listed = actors.stream().map(NamedActor::name).collect(Collectors.toSet());
        List<String> names = new ArrayList<>();
        Stream.concat(group.stream(), routerGroup.stream()).forEach(name -> names.add(DetachedFleets.ownerName(name)));
        Stream.concat(group.stream(), routerGroup.stream()).forEach(name -> names.add(GatewayFacts.actorName(name)));
        routerGroup.ifPresent(name -> names.add(name + ":0"));
        group.ifPresent(name -> {
            names.addAll(furtherParts(name));
            ranks(name).forEach(rank -> names.add(name + ":" + rank));
        });
        return names.stream().filter(listed::contains).toList();
    }
}
