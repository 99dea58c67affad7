/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import dev.sglangray.workers.loop.Backoff;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.Paced;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The loop that makes one router list what is wanted: it compares, and repairs each difference by itself, with a retry of its own.
 * It looks at the router's list again and again, so a router that forgets, or a registration that arrives late, is repaired too.
 * For use on the registry's event loop only.
 */
final class RouterSync {
    private static final Duration LOOK = Duration.ofSeconds(2);
    /** A router that answers does so at once; one that is asked for so long does not, whenever the request itself is given up. */
    static final Duration SILENT = Duration.ofSeconds(2);

    /** So many requests are under way at most, removals excepted: of a large fleet the others wait here. */
    private static final int REQUESTS = 256;
    /** So many of them ask how far a server is: the router's list tells most of that. */
    private static final int CHECKS = 32;

    private static final Duration FIRST_LOOK = Duration.ofMillis(25);
    private static final Duration LONGEST_LOOK = Duration.ofMillis(200);
    /** A server that is still listed so long after its removal is removed again. */
    private static final Duration REMOVED = Duration.ofSeconds(1);

    private static final Duration FIRST_RETRY = Duration.ofMillis(200);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(10);
    /** A request of ours whose answer is lost may still be carried out for so long; the router runs on the same node. */
    static final Duration STRAY = Duration.ofSeconds(20);

    private final EventLoop loop;
    private final Supplier<Map<String, ServerEndpoint>> wanted;
    private final Predicate<String> ours;
    private final Runnable changed;
    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final Backoff looks = new Backoff(FIRST_LOOK, LONGEST_LOOK);
    private Set<String> foreign = Set.of();
    private @Nullable RouterPort router;
    private int generation;
    private boolean primed;
    private boolean looking;
    private Instant lastLook = Instant.EPOCH;
    private Duration soon = FIRST_LOOK;
    private @Nullable String problem;
    private EventLoop.@Nullable Timer timer;
    private int requests;
    /** How long the router's last answer with its list took. */
    private Duration lookTook = Duration.ZERO;

    private final Paced repairing;
    private final Paced settling;

    private enum Phase {
        /** It waits for its next try; the router does not have it. */
        ABSENT,
        /** The router was asked to add it, and may list it at any moment. */
        PENDING,
        /** The router lists it. */
        LISTED
    }

    /** What the router of now does about one URL. */
    private static final class Slot {
        final String url;
        final Backoff retries = new Backoff(FIRST_RETRY, LONGEST_RETRY);
        final Backoff checks = new Backoff(FIRST_LOOK, LONGEST_LOOK);
        Phase phase = Phase.ABSENT;

        @Nullable
        String id;

        @Nullable
        RegisteredServer server;
        /** As the router was last asked to add it; null for one that it lists without that. */
        @Nullable
        ServerEndpoint added;

        String error = "";
        boolean busy;
        /** Grows with each request about this URL: a list that was asked for before says nothing about what came after. */
        long version;

        Instant next = Instant.MIN;
        /** Until then a request whose answer was lost may still be carried out. */
        Instant strayUntil = Instant.MIN;

        Slot(String url) {
            this.url = url;
        }
    }

    private long repairs;

    /**
     * Without a router.
     *
     * @param wanted the servers that the router is to send to, by URL
     * @param ours whether a URL is, or was, one that the registry knows
     * @param changed runs when the router's list, or what is known of it, has changed
     */
    RouterSync(EventLoop loop, Supplier<Map<String, ServerEndpoint>> wanted, Predicate<String> ours, Runnable changed) {
        this.loop = loop;
        this.wanted = wanted;
        this.ours = ours;
        this.changed = changed;
        this.repairing = new Paced(loop, slots::size, this::reconcile);
        this.settling = new Paced(loop, slots::size, () -> {
            changed.run();
            reconcile();
        });
    }

    /** A router process serves, which has no servers yet; it replaces the one before. */
    void up(RouterPort fresh) {
        down();
        router = fresh;
        look();
    }

    /** The router process has ended: it sends nothing any more, and what it was asked to do is void. */
    void down() {
        generation++;
        router = null;
        primed = false;
        looking = false;
        requests = 0;
        lookTook = Duration.ZERO;
        slots.clear();
        foreign = Set.of();
        problem = null;
        stopTimer();
        changed.run();
    }

    /** What is wanted has changed: acts on it at once. */
    void reconcile() {
        RouterPort now = router;
        if (now == null) {
            return;
        }
        Map<String, ServerEndpoint> want = wanted.get();
        want.keySet().forEach(url -> slots.computeIfAbsent(url, Slot::new));
        List<Slot> unchecked = new ArrayList<>();
        for (Slot slot : List.copyOf(slots.values())) {
            repair(now, slot, want.get(slot.url), unchecked);
        }
        // Those that have waited longest.
        unchecked.sort(Comparator.comparing(slot -> slot.next));
        for (Slot slot : unchecked) {
            if (requests < CHECKS && slot.id != null) {
                check(now, slot, slot.id);
            }
        }
        again(want.keySet());
    }

    private void repair(RouterPort now, Slot slot, @Nullable ServerEndpoint want, List<Slot> unchecked) {
        boolean due = !loop.now().isBefore(slot.next);
        if (slot.busy || !due) {
            return;
        }
        switch (slot.phase) {
            case ABSENT -> {
                if (want == null && !ours.test(slot.url)) {
                    slots.remove(slot.url);
                } else if (want == null) {
                    // Kept, so that a list that was asked for earlier is recognised as out of date.
                    slot.retries.reset();
                } else if (primed && requests < REQUESTS) {
                    add(now, slot, want);
                }
            }
            case PENDING -> {
                if (slot.id != null) {
                    unchecked.add(slot);
                } else if (want != null && requests < REQUESTS) {
                    add(now, slot, want);
                }
            }
            case LISTED -> {
                if (slot.id != null && (want == null || isOther(slot.added, want))) {
                    remove(now, slot, slot.id);
                }
            }
        }
    }

    private void add(RouterPort now, Slot slot, ServerEndpoint server) {
        slot.phase = Phase.PENDING;
        slot.added = server;
        slot.checks.reset();
        run(
                slot,
                now.add(server),
                id -> {
                    slot.id = id;
                    slot.error = "the router looks at it";
                },
                failure -> {
                    if (failure instanceof RouterPort.Refused && slot.id == null && !isStray(slot)) {
                        slot.phase = Phase.ABSENT;
                    } else {
                        slot.strayUntil = loop.now().plus(STRAY);
                    }
                });
    }

    /** Whether another engine has the URL by now, which does something else than the one that the router was given. */
    private static boolean isOther(@Nullable ServerEndpoint added, ServerEndpoint want) {
        return added != null
                && !(added.workerType().equals(want.workerType())
                        && Objects.equals(added.model(), want.model())
                        && Objects.equals(added.bootstrapPort(), want.bootstrapPort()));
    }

    private boolean isStray(Slot slot) {
        return loop.now().isBefore(slot.strayUntil);
    }

    private void check(RouterPort now, Slot slot, String id) {
        run(
                slot,
                now.progress(id),
                progress -> {
                    if (progress instanceof RouterPort.Progress.Listed listed) {
                        listed(slot, listed.server());
                    } else if (progress instanceof RouterPort.Progress.Pending pending) {
                        slot.error = "the router has not found it healthy yet: " + pending.detail();
                        slot.next = loop.now().plus(slot.checks.next());
                    } else {
                        // Another request of ours may have added it under another id: only a list tells that it is not
                        // there.
                        slot.id = null;
                        slot.error = progress instanceof RouterPort.Progress.Failed failed
                                ? "the router refused it: " + failed.why()
                                : "the router does not know it any more";
                        slot.next = loop.now().plus(slot.retries.next());
                    }
                },
                failure -> {});
    }

    private void remove(RouterPort now, Slot slot, String id) {
        run(
                slot,
                now.remove(id),
                had -> {
                    // It only queues a job, and the id may be that of an earlier registration: the next look tells
                    // whether it is gone.
                    slot.next = loop.now().plus(REMOVED);
                },
                failure -> {});
    }

    private void absent(Slot slot) {
        slot.phase = isStray(slot) ? Phase.PENDING : Phase.ABSENT;
        slot.id = null;
        slot.server = null;
    }

    private static void listed(Slot slot, RegisteredServer server) {
        slot.phase = Phase.LISTED;
        slot.id = server.id();
        slot.server = server;
        slot.error = server.healthy() ? "" : "the router lists it as unhealthy";
        slot.retries.reset();
    }

    private interface Done<T> {
        void accept(T value);
    }

    private <T> void run(Slot slot, CompletableFuture<T> request, Done<T> done, Done<Throwable> failed) {
        slot.busy = true;
        requests++;
        slot.version++;
        looks.reset();
        soon = looks.next();
        int mine = generation;
        CompletableFuture<Void> unused = request.handle((value, failure) -> {
            if (mine != generation) {
                return null;
            }
            slot.busy = false;
            requests--;
            slot.version++;
            if (failure == null) {
                done.accept(value);
            } else {
                slot.error = EventLoop.words(failure);
                slot.next = loop.now().plus(slot.retries.next());
                failed.accept(EventLoop.unwrapped(failure));
            }
            loop.execute(() -> {
                if (mine == generation) {
                    settling.run();
                }
            });
            return null;
        });
    }

    /** How often the router's list was other than it had been made. */
    long repairs() {
        return repairs;
    }

    /** Whether the router is being asked for its list. */
    boolean isLooking() {
        return looking;
    }

    /** Asks the router for its list now, unless that is under way. */
    void look() {
        RouterPort now = router;
        if (now == null || looking) {
            return;
        }
        looking = true;
        lastLook = loop.now();
        soon = looks.next();
        int mine = generation;
        Map<String, Long> versions = new LinkedHashMap<>();
        slots.values().stream().filter(slot -> !slot.busy).forEach(slot -> versions.put(slot.url, slot.version));
        CompletableFuture<Void> unused = now.list().handle((servers, failure) -> {
            if (mine != generation) {
                return null;
            }
            looking = false;
            if (failure == null) {
                problem = null;
                primed = true;
                lookTook = Duration.between(lastLook, loop.now());
                take(servers, versions);
            } else {
                problem = EventLoop.words(failure);
            }
            loop.execute(() -> {
                if (mine == generation) {
                    settling.run();
                }
            });
            return null;
        });
    }

    private void take(List<RegisteredServer> servers, Map<String, Long> versions) {
        Set<String> want = wanted.get().keySet();
        Set<String> there = new HashSet<>();
        Set<String> strangers = new LinkedHashSet<>();
        for (RegisteredServer server : servers) {
            there.add(server.url());
            Slot slot = slots.get(server.url());
            boolean upToDate =
                    slot != null && !slot.busy && Long.valueOf(slot.version).equals(versions.get(slot.url));
            if (slot == null && ours.test(server.url())) {
                slot = new Slot(server.url());
                slots.put(server.url(), slot);
                listed(slot, server);
            } else if (slot == null) {
                strangers.add(server.url());
            } else if (upToDate) {
                if (slot.phase == Phase.ABSENT && !want.contains(slot.url)) {
                    repairs++;
                }
                listed(slot, server);
            }
        }
        foreign = strangers;
        for (Slot slot : List.copyOf(slots.values())) {
            boolean known = Long.valueOf(slot.version).equals(versions.get(slot.url));
            if (there.contains(slot.url) || slot.busy || !known) {
                continue;
            }
            if (slot.phase == Phase.LISTED && want.contains(slot.url)) {
                repairs++;
            }
            if (slot.phase == Phase.LISTED || (slot.phase == Phase.PENDING && slot.id == null && !isStray(slot))) {
                absent(slot);
            }
        }
    }

    /** The next look: soon while something is under way, else now and then. */
    private void again(Set<String> want) {
        stopTimer();
        Instant now = loop.now();
        boolean underWay = problem != null
                || !primed
                || slots.values().stream()
                        .anyMatch(slot -> slot.phase == Phase.PENDING
                                || (slot.phase == Phase.LISTED && !want.contains(slot.url)));
        // A list of many servers takes the router and this loop a while: looks are a tenth of the time at most.
        Duration rest = lookTook.multipliedBy(9);
        Duration longer = rest.compareTo(soon) > 0 ? rest : soon;
        Duration pause = underWay && longer.compareTo(LOOK) < 0 ? longer : LOOK;
        Instant due = looking ? now.plus(LOOK) : lastLook.plus(pause);
        for (Slot slot : slots.values()) {
            if (!slot.busy && slot.next.isAfter(now) && slot.next.isBefore(due)) {
                due = slot.next;
            }
        }
        int mine = generation;
        Duration wait = due.isAfter(now) ? Duration.between(now, due) : Duration.ZERO;
        timer = loop.schedule(wait, () -> {
            if (mine == generation) {
                if (!loop.now().isBefore(lastLook.plus(pause))) {
                    look();
                }
                repairing.run();
            }
        });
    }

    private void stopTimer() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    /** Whether the router is known not to send to a URL, and no request of ours is under way that may still change that. */
    boolean isOut(String url) {
        if (router == null) {
            return true;
        }
        Slot slot = slots.get(url);
        return primed && (slot == null || (slot.phase == Phase.ABSENT && !slot.busy));
    }

    /** What the router lists for a URL, or null. */
    @Nullable
    RegisteredServer listed(String url) {
        Slot slot = slots.get(url);
        return slot == null || slot.phase != Phase.LISTED ? null : slot.server;
    }

    /** Why a URL is not listed, in words; empty when that is not known. */
    String error(String url) {
        Slot slot = slots.get(url);
        return router == null ? "the router does not run at the moment" : slot == null ? "" : slot.error;
    }

    /** Every URL that the router may list now or soon by a request of ours. */
    List<String> unsettled() {
        List<String> urls = new ArrayList<>();
        slots.values().stream().filter(slot -> slot.phase != Phase.ABSENT).forEach(slot -> urls.add(slot.url));
        return urls;
    }

    /** URLs that the router lists and the registry does not know. */
    Set<String> foreign() {
        return foreign;
    }

    /** Why the router's list is not known; null when it is. */
    @Nullable
    String problem() {
        if (router == null) {
            return "the router does not run at the moment";
        }
        Duration waiting = looking ? Duration.between(lastLook, loop.now()) : Duration.ZERO;
        return problem == null && waiting.compareTo(SILENT) >= 0
                ? "no answer for " + waiting.toSeconds() + " s"
                : problem;
    }

    /** Whether there is a router whose list is known. */
    boolean isPrimed() {
        return primed;
    }
}
