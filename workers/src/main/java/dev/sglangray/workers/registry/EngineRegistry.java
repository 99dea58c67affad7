/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import dev.sglangray.workers.loop.Backoff;
import dev.sglangray.workers.loop.ConditionWaits;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.Lease;
import dev.sglangray.workers.loop.Paced;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.ExternalServer;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.EventSink;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Which servers a fleet's router sends to: the one place that decides it. A server is a member from its registration until it is
 * unregistered; the router lists a member when the last report of its worker says that it serves, nothing that happened since makes
 * that doubtful, and it has the fleet's weights. Everything else (workers, trainers, the fleet's owner) reports and asks.
 *
 * <p>For use on the router worker's event loop only.
 */
public final class EngineRegistry {
    private static final Duration FIRST_QUESTION = Duration.ofMillis(200);
    private static final Duration LONGEST_QUESTION = Duration.ofSeconds(5);
    /** A registration whose caller stopped asking for it is given up after this time, unless it succeeded. */
    private static final Duration FORGOTTEN = Duration.ofMinutes(1);
    /**
     * So long after a commit servers with the new weights wait for those with other ones to leave the router: longer than a request
     * whose answer was lost counts as possible.
     */
    private static final Duration CLEARING = RouterSync.STRAY.plusSeconds(5);
    /** The time between two looks at a server that another program keeps. */
    private static final Duration WATCH = Duration.ofSeconds(5);
    /** So many looks in a row that are not answered take it from the router; a busy server may miss one. */
    private static final int MISSED = 3;
    /** More unregistered engines than calls of one caller can be late; as many as a larger fleet has. */
    private static final int REMEMBERED = 256;
    /** A fleet's workers report before their engines are registered; those of a larger one are not all remembered. */
    private static final int SEEN = 16_384;

    private final EventLoop loop;
    private final EventSink events;
    private final WorkersPort workers;
    private final RecordStore<RegistryRecord> store;
    private final RouterSync sync;
    private final ConditionWaits waiters;
    private final Map<String, Member> members = new LinkedHashMap<>();
    /** The key of the member of each worker, by its actor's name. */
    private final Map<String, String> byActor = new HashMap<>();
    /** The members at each URL; null when members have changed since it was made. */
    private @Nullable Map<String, List<Member>> byUrl;

    private int mostMembers;
    /** At which epochs the last engines were unregistered. */
    private final Map<String, Long> unregistered = new LinkedHashMap<>();

    /** The last reports of workers whose engines were not registered at the time, by key. */
    private final Map<String, EngineReport> workersSeen = new LinkedHashMap<>();

    private @Nullable RouterPort router;
    private FleetWeights weights = FleetWeights.INITIAL;
    /** Weights that are being written down, and hold after that. */
    private @Nullable FleetWeights coming;

    /** While two weights serve, the version of the older ones; null where that is not known. */
    private @Nullable String mixedVersion;

    /** The servers that other programs keep, as the configuration has them, by key. */
    private final Map<String, ExternalServer> configured = new LinkedHashMap<>();

    private Instant clearingUntil = Instant.MIN;
    private RegistryRecord.@Nullable KeptChange change;
    private EventLoop.@Nullable Timer changeTimer;
    private RegistryRecord kept = RegistryRecord.EMPTY;
    private CompletableFuture<Void> written = CompletableFuture.completedFuture(null);
    /** Completes when all that has changed until now is written. */
    private CompletableFuture<Void> saved = written;

    private @Nullable CompletableFuture<Void> unsaved;
    private boolean ended;
    private final Paced pass;
    private final Paced saving;

    /** One registered server. */
    private static final class Member {
        final String key;
        ServerEndpoint endpoint;
        long epoch;
        /** Whether its worker reported to this process, or it has none. */
        boolean confirmed;

        boolean serves;
        String why = "";

        @Nullable
        String weightsId;
        /** Of a server without a worker: what it said it has, and whether it was asked. */
        @Nullable
        String version;

        boolean asked;
        boolean keyLost;
        /** Of a server that another program keeps: what it must be, and how many looks it has not answered. */
        @Nullable
        ExternalServer external;

        int missed;

        @Nullable
        String suspicion;

        boolean everListed;
        boolean toldListed;
        boolean questioning;
        final Backoff questions = new Backoff(FIRST_QUESTION, LONGEST_QUESTION);

        @Nullable
        EngineMonitor monitor;

        @Nullable
        Instant awaitedAt;

        Member(String key, ServerEndpoint endpoint) {
            this.key = key;
            this.endpoint = endpoint;
        }

        boolean hasWorker() {
            return endpoint.actor() != null;
        }

        String actor() {
            return Objects.requireNonNull(endpoint.actor());
        }
    }

    /** How far a registration is. Travels as JSON. */
    public record Registration(
            State state,
            String key,
            String detail,
            @Nullable RegisteredServer server) {
        /** In one word. */
        public enum State {
            /** The router sends to it. */
            LISTED,
            /** Not yet. */
            PENDING,
            /** It says that it has other weights than the fleet; unregister it. */
            REFUSED,
            /** It is not registered, or not any more. */
            GONE
        }
    }

    /**
     * What came of telling the registry which weights the fleet has. Travels as JSON.
     *
     * @param taken whether the fleet has these weights now
     * @param settled whether the router sends to no server with others
     * @param weights what the fleet has
     */
    public record Commit(boolean taken, boolean settled, FleetWeights weights) {}

    /**
     * Takes over what a predecessor kept, if it shall.
     *
     * @param inherits whether this process replaces one that died
     */
    public EngineRegistry(
            EventLoop loop,
            EventSink events,
            WorkersPort workers,
            RecordStore<RegistryRecord> store,
            boolean inherits) {
        this.loop = loop;
        this.events = events;
        this.workers = workers;
        this.store = store;
        this.waiters = new ConditionWaits(loop);
        this.sync = new RouterSync(loop, this::wanted, this::isOurs, this::listChanged);
        this.pass = new Paced(loop, members::size, this::lookAtAll);
        this.saving = new Paced(loop, members::size, this::write);
        if (inherits) {
            store.load().ifPresent(this::inherit);
        }
    }

    private void inherit(RegistryRecord past) {
        kept = past;
        weights = past.weights();
        unregistered.putAll(past.unregistered());
        for (RegistryRecord.KeptMember one : past.members()) {
            Member member = new Member(keyOf(one.endpoint()), one.endpoint());
            member.epoch = one.epoch();
            member.version = one.version();
            member.everListed = true;
            if (member.hasWorker()) {
                member.why = "its worker has not reported to this registry yet";
            } else {
                member.keyLost = one.hasKey();
                member.confirmed = true;
                member.serves = true;
                member.asked = true;
            }
            add(member);
        }
        if (past.change() != null) {
            change = past.change().takenOver(loop.now());
            watchChange();
        }
        members.values().stream().filter(Member::hasWorker).forEach(member -> loop.execute(() -> question(member)));
    }

    private void add(Member member) {
        members.put(member.key, member);
        mostMembers = Math.max(mostMembers, members.size());
        String actor = member.endpoint.actor();
        if (actor != null) {
            byActor.put(actor, member.key);
        }
        byUrl = null;
    }

    private @Nullable Member remove(String key) {
        Member member = members.remove(key);
        if (member != null) {
            String actor = member.endpoint.actor();
            if (actor != null) {
                byActor.remove(actor, key);
            }
            byUrl = null;
        }
        return member;
    }

    private List<Member> at(String url) {
        Map<String, List<Member>> index = byUrl;
        if (index == null) {
            index = new HashMap<>();
            for (Member member : members.values()) {
                index.computeIfAbsent(member.endpoint.url(), key -> new ArrayList<>(1))
                        .add(member);
            }
            byUrl = index;
        }
        return index.getOrDefault(url, List.of());
    }

    private static String keyOf(ServerEndpoint endpoint) {
        return endpoint.key() != null ? endpoint.key() : endpoint.url();
    }

    // The router.

    /** A router process serves; it has no servers yet. */
    public void routerUp(RouterPort port) {
        router = port;
        sync.up(port);
        changed();
    }

    /** The router process has ended. */
    public void routerDown() {
        router = null;
        sync.down();
    }

    private Map<String, ServerEndpoint> wanted() {
        Map<String, ServerEndpoint> wanted = new LinkedHashMap<>();
        boolean clearing = isClearing();
        for (Member member : members.values()) {
            // New weights answer no request while old ones still may.
            boolean waits = clearing && member.endpoint.updateWeights() && sync.isOut(member.endpoint.url());
            if (isWanted(member) && !waits) {
                wanted.put(member.endpoint.url(), member.endpoint);
            }
        }
        return wanted;
    }

    /** Whether the router may still send to a server that does not have the fleet's weights, also to one that is no member any more. */
    private boolean isClearing() {
        // Bounded, because a registration of a dead engine stays under way in the router for minutes.
        return loop.now().isBefore(clearingUntil) && sync.unsettled().stream().anyMatch(url -> !fits(url));
    }

    private boolean fits(String url) {
        return at(url).stream().anyMatch(this::fits);
    }

    private boolean isWanted(Member member) {
        return member.confirmed && member.serves && member.suspicion == null && !member.keyLost && fits(member);
    }

    private boolean fits(Member member) {
        if (member.hasWorker()) {
            return weightsOf(member).allow(member.weightsId);
        }
        Weights updated = weightsOf(member).updated();
        // A server that names no version is its owner's business.
        return updated == null
                || (member.asked
                        && (member.version == null
                                || member.version.equals(updated.version())
                                || (weights.alsoId() != null && member.version.equals(mixedVersion))));
    }

    /** What a member must have: one that keeps its own weights has those with which it started. */
    private FleetWeights weightsOf(Member member) {
        return member.endpoint.updateWeights() ? weights : FleetWeights.INITIAL;
    }

    private String whyNot(Member member) {
        if (member.keyLost) {
            return "its key was lost with the router worker's process; register it again";
        }
        if (member.suspicion != null) {
            return member.suspicion;
        }
        if (!member.confirmed || !member.serves) {
            return member.why;
        }
        if (!fits(member)) {
            return member.hasWorker()
                    ? "it does not have the fleet's weights, "
                            + weightsOf(member).text()
                    : "it has weights of version " + member.version + ", and the fleet those of " + weights.text();
        }
        return sync.listed(member.endpoint.url()) == null ? sync.error(member.endpoint.url()) : "";
    }

    private boolean isOurs(String url) {
        return !at(url).isEmpty();
    }

    private void listChanged() {
        for (Member member : List.copyOf(members.values())) {
            boolean listed = isWanted(member) && sync.listed(member.endpoint.url()) != null;
            if (listed && !member.toldListed) {
                member.everListed = true;
                member.questions.reset();
                events.add(EventKind.SERVER, member.endpoint.url() + " gets requests");
                save();
            }
            member.toldListed = listed;
        }
        waiters.changed();
    }

    /** What follows from any change of the members or of what they must have: each costs a look at all of them. */
    private void changed() {
        pass.run();
        if (pass.isWaiting()) {
            saveLater();
        }
    }

    private void lookAtAll() {
        for (Member member : members.values()) {
            monitor(member);
        }
        save();
        sync.reconcile();
        listChanged();
    }

    private void monitor(Member member) {
        boolean watch = member.hasWorker() && member.confirmed && member.serves && member.suspicion == null;
        if (!watch && member.monitor != null) {
            member.monitor.end();
            member.monitor = null;
        } else if (watch && member.monitor == null) {
            long epoch = member.epoch;
            EngineMonitor fresh = new EngineMonitor(
                    loop, workers, member.actor(), member.endpoint.url(), why -> suspect(member.key, epoch, why));
            member.monitor = fresh;
            fresh.start();
        }
    }

    private void save() {
        saving.run();
        if (saving.isWaiting()) {
            saveLater();
        }
    }

    private void saveLater() {
        if (unsaved == null) {
            unsaved = new CompletableFuture<>();
            saved = unsaved;
        }
    }

    private void write() {
        if (ended) {
            return;
        }
        List<RegistryRecord.KeptMember> all = new ArrayList<>();
        for (Member member : members.values()) {
            all.add(new RegistryRecord.KeptMember(
                    member.endpoint.withoutApiKey(),
                    member.epoch,
                    member.version,
                    member.keyLost || member.endpoint.apiKey() != null));
        }
        RegistryRecord now = new RegistryRecord(all, unregistered, coming == null ? weights : coming, change);
        if (!now.equals(kept)) {
            kept = now;
            written = store.save(now);
        }
        saved = written;
        CompletableFuture<Void> awaited = unsaved;
        unsaved = null;
        if (awaited != null) {
            CompletableFuture<Void> unused = written.whenComplete((nothing, failure) -> {
                if (failure == null) {
                    awaited.complete(null);
                } else {
                    awaited.completeExceptionally(failure);
                }
            });
        }
    }

    // Reports.

    /** Takes what a worker says of its engine; what is older than what is known is dropped. */
    public ReportReply report(EngineReport report) {
        Member member = members.get(report.key());
        if (member == null) {
            member = registeredByUrl(report);
        }
        if (member == null) {
            String url = report.endpoint() == null ? null : report.endpoint().url();
            return new ReportReply(seen(report.key()), false, false, url == null || sync.isOut(url), weights);
        }
        boolean news = report.epoch() > member.epoch || (report.epoch() == member.epoch && !member.confirmed);
        if (news) {
            boolean served = isWanted(member);
            take(member, report);
            if (served && !isWanted(member)) {
                events.add(EventKind.SERVER, member.endpoint.url() + " gets no requests: " + whyNot(member));
            }
            changed();
        }
        return new ReportReply(
                member.epoch,
                true,
                isWanted(member) && sync.listed(member.endpoint.url()) != null,
                !isWanted(member) && sync.isOut(member.endpoint.url()),
                weights);
    }

    /** An engine of a worker may have been registered by its URL, as RLinf does: it is its worker's all the same. */
    private @Nullable Member registeredByUrl(EngineReport report) {
        if (report.epoch() < seen(report.key())) {
            return null;
        }
        workersSeen.remove(report.key());
        workersSeen.put(report.key(), report);
        if (workersSeen.size() > SEEN) {
            workersSeen.remove(workersSeen.keySet().iterator().next());
        }
        ServerEndpoint endpoint = report.endpoint();
        if (endpoint == null) {
            return null;
        }
        Member before = remove(endpoint.url());
        if (before == null) {
            return null;
        }
        Member member = new Member(report.key(), endpoint);
        member.everListed = before.everListed;
        member.awaitedAt = before.awaitedAt;
        add(member);
        unregistered.remove(member.key);
        return member;
    }

    /** The epoch of the last report of a worker whose engine was not registered at the time; -1 for none. */
    private long seen(String key) {
        EngineReport last = workersSeen.get(key);
        return last == null ? -1 : last.epoch();
    }

    private void take(Member member, EngineReport report) {
        member.epoch = report.epoch();
        member.confirmed = true;
        member.serves = report.serves() && report.endpoint() != null;
        member.why = report.why();
        member.weightsId = report.weightsId();
        member.suspicion = null;
        if (member.monitor != null) {
            member.monitor.end();
            member.monitor = null;
        }
        if (report.endpoint() != null) {
            boolean moved = !report.endpoint().url().equals(member.endpoint.url());
            member.endpoint = report.endpoint();
            if (moved) {
                byUrl = null;
            }
        }
    }

    private void suspect(String key, long epoch, String why) {
        Member member = members.get(key);
        if (member == null || member.epoch != epoch || member.suspicion != null) {
            return;
        }
        member.suspicion = why;
        events.add(EventKind.SERVER, member.endpoint.url() + " gets no requests: " + why);
        changed();
        question(member);
    }

    /** Asks a worker to report until it does: it knows better than any sign seen from here. */
    private void question(Member member) {
        if (member.questioning || members.get(member.key) != member || !needsReport(member)) {
            return;
        }
        member.questioning = true;
        CompletableFuture<Boolean> asked;
        try {
            asked = workers.askForReport(member.actor());
        } catch (RuntimeException e) {
            asked = CompletableFuture.failedFuture(e);
        }
        CompletableFuture<Void> unused = asked.handle((there, failure) -> {
            if (failure == null && !there) {
                member.why = "Ray has no actor " + member.actor() + " any more";
            }
            loop.schedule(member.questions.next(), () -> {
                member.questioning = false;
                question(member);
            });
            return null;
        });
    }

    private boolean needsReport(Member member) {
        return member.hasWorker()
                && (!member.confirmed || member.suspicion != null || (member.serves && !fits(member)));
    }

    // Commands.

    /**
     * Makes a server a member; the router lists it later, see {@link #registration}. Harmless when repeated. A registration of an
     * engine that was unregistered since its worker gave this endpoint is void: it was asked for earlier and arrives late.
     *
     * @return the key to ask by
     */
    public String register(ServerEndpoint wanted) {
        ServerEndpoint endpoint = wanted.actor() == null ? withWorker(wanted) : wanted;
        String key = keyOf(endpoint);
        Long end = unregistered.get(key);
        if (end != null && endpoint.epoch() <= end) {
            return key;
        }
        Member known = members.get(key);
        if (known != null) {
            known.awaitedAt = loop.now();
            if (known.external != null) {
                return key;
            }
            if (!known.hasWorker()) {
                known.endpoint = endpoint;
                known.keyLost = false;
                changed();
            }
            return key;
        }
        if (endpoint.actor() != null) {
            // A later actor of the name replaces the earlier one, which is gone.
            String earlier = byActor.get(endpoint.actor());
            Member other = earlier == null ? null : remove(earlier);
            if (other != null && other.monitor != null) {
                other.monitor.end();
            }
        }
        ExternalServer external = configured.get(key);
        if (external != null && endpoint.actor() == null) {
            unregistered.remove(key);
            watch(external);
            changed();
            return key;
        }
        Member member = new Member(key, endpoint);
        member.awaitedAt = loop.now();
        add(member);
        if (member.hasWorker()) {
            // What its worker said before this, it may have taken back since, and have learned that the engine is out.
            member.epoch = Math.max(endpoint.epoch(), seen(key));
            member.why = "its worker has not reported yet";
            question(member);
        } else {
            unregistered.remove(key);
            member.confirmed = true;
            member.serves = true;
            askVersion(member);
        }
        watchRegistration(member);
        changed();
        return key;
    }

    /** The same server as its worker says it, if a worker of this fleet has it. */
    private ServerEndpoint withWorker(ServerEndpoint wanted) {
        for (Member member : at(wanted.url())) {
            if (member.hasWorker()) {
                return member.endpoint;
            }
        }
        for (EngineReport seen : workersSeen.values()) {
            ServerEndpoint endpoint = seen.endpoint();
            if (endpoint != null && endpoint.url().equals(wanted.url())) {
                unregistered.remove(seen.key());
                return endpoint;
            }
        }
        return wanted;
    }

    private void watchRegistration(Member member) {
        loop.schedule(FORGOTTEN, () -> {
            if (members.get(member.key) != member || member.everListed || member.awaitedAt == null) {
                return;
            }
            if (!loop.now().isBefore(member.awaitedAt.plus(FORGOTTEN))) {
                events.add(
                        EventKind.SERVER, member.endpoint.url() + " was never listed, and its caller stopped waiting");
                drop(member);
            } else {
                watchRegistration(member);
            }
        });
    }

    /** A server without a worker is asked for the version of its weights, again and again while it has others than the fleet. */
    private void askVersion(Member member) {
        RouterPort port = router;
        if (members.get(member.key) != member || member.external != null || (member.asked && fits(member))) {
            return;
        }
        if (port == null) {
            loop.schedule(member.questions.next(), () -> askVersion(member));
            return;
        }
        CompletableFuture<Void> unused = port.describe(member.endpoint).handle((facts, failure) -> {
            if (failure == null) {
                member.version = facts.weightVersion();
                member.asked = true;
                changed();
            }
            loop.schedule(member.questions.next(), () -> askVersion(member));
            return null;
        });
    }

    /**
     * Makes servers that other programs keep members, and looks at them again and again: the router sends to one as long as it
     * answers, serves the model that it must, and has the weights that it must. One that was unregistered stays away.
     */
    public void watch(List<ExternalServer> servers) {
        for (ExternalServer server : servers) {
            boolean fresh = configured.put(keyOf(server.endpoint()), server) == null;
            if (fresh && !unregistered.containsKey(keyOf(server.endpoint()))) {
                watch(server);
            }
        }
        changed();
    }

    private void watch(ExternalServer server) {
        Member member = new Member(keyOf(server.endpoint()), server.endpoint());
        member.external = server;
        member.confirmed = true;
        member.why = "it was not looked at yet";
        add(member);
        look(member);
    }

    private void look(Member member) {
        if (members.get(member.key) != member) {
            return;
        }
        RouterPort port = router;
        if (port == null) {
            loop.schedule(FIRST_QUESTION, () -> look(member));
            return;
        }
        CompletableFuture<Void> unused = port.describe(member.endpoint).handle((facts, failure) -> {
            if (members.get(member.key) == member) {
                looked(member, facts, failure);
                loop.schedule(WATCH, () -> look(member));
            }
            return null;
        });
    }

    private void looked(Member member, ServerFacts facts, @Nullable Throwable failure) {
        boolean served = isWanted(member);
        if (failure != null) {
            member.missed++;
            if (served && member.missed < MISSED) {
                return;
            }
            member.serves = false;
            member.why = EventLoop.words(failure);
        } else {
            member.missed = 0;
            member.version = facts.weightVersion();
            member.asked = true;
            member.why = mismatch(Objects.requireNonNull(member.external), facts);
            member.serves = member.why.isEmpty();
        }
        if (served && !isWanted(member)) {
            events.add(EventKind.SERVER, member.endpoint.url() + " gets no requests: " + whyNot(member));
        }
        changed();
    }

    /** Why a server is not what it must be, in words; empty when it is. */
    private static String mismatch(ExternalServer wanted, ServerFacts facts) {
        String model = wanted.endpoint().model();
        if (model != null && !facts.models().contains(model)) {
            return "it must serve model '" + model + "', and "
                    + (facts.models().isEmpty()
                            ? "its /v1/models names none"
                            : "serves '" + String.join("', '", facts.models()) + "'");
        }
        String version = wanted.weightVersion();
        return version == null || version.equals(facts.weightVersion())
                ? ""
                : "it must have weights of version " + version + ", and has "
                        + (facts.weightVersion() == null ? "none that it names" : "those of " + facts.weightVersion());
    }

    /** How far a registration is. A caller that stops asking gives up a registration that has not succeeded yet. */
    public CompletableFuture<Registration> registration(String key) {
        Member member = members.get(key);
        if (member == null) {
            // A server that was registered by URL and turned out to be a worker's has the worker's key now.
            member = at(key).stream().findFirst().orElse(null);
        }
        if (member == null) {
            return CompletableFuture.completedFuture(
                    new Registration(Registration.State.GONE, key, "it is not registered", null));
        }
        member.awaitedAt = loop.now();
        RegisteredServer server = isWanted(member) ? sync.listed(member.endpoint.url()) : null;
        if (!member.hasWorker() && member.asked && !member.everListed && !fits(member)) {
            return CompletableFuture.completedFuture(new Registration(
                    Registration.State.REFUSED, key, member.endpoint.url() + ": " + whyNot(member), null));
        }
        if (server == null || !server.healthy()) {
            return CompletableFuture.completedFuture(
                    new Registration(Registration.State.PENDING, key, whyNot(member), null));
        }
        Registration listed = new Registration(Registration.State.LISTED, key, "", server);
        return saved.thenApply(nothing -> listed);
    }

    /**
     * Ends the membership of the server at a URL; works while the router is away. Completes when a successor would know it too.
     *
     * @return whether it was a member
     */
    public CompletableFuture<Boolean> unregister(String url) {
        boolean had = false;
        for (Member member : List.copyOf(at(url))) {
            had = true;
            events.add(EventKind.SERVER, member.endpoint.url() + " was taken away");
            drop(member);
        }
        boolean was = had;
        return saved.thenApply(nothing -> was);
    }

    /** As {@link #unregister}, for a registration that was not listed in time; one that the configuration names is left as it is. */
    public CompletableFuture<Boolean> giveUp(String url) {
        boolean named = at(url).stream().anyMatch(member -> member.external != null);
        return named ? CompletableFuture.completedFuture(false) : unregister(url);
    }

    /**
     * As {@link #unregister}, by key, for an engine whose worker ends for good: no registration of it is taken any more, however
     * late one arrives.
     */
    public CompletableFuture<Boolean> retire(String key) {
        Member member = members.get(key);
        if (member != null) {
            events.add(EventKind.SERVER, member.endpoint.url() + " was taken away");
            drop(member);
        }
        remember(key, Long.MAX_VALUE);
        save();
        return saved.thenApply(nothing -> member != null);
    }

    private void remember(String key, long epoch) {
        unregistered.remove(key);
        unregistered.put(key, epoch);
        if (unregistered.size() > Math.max(REMEMBERED, mostMembers)) {
            unregistered.remove(unregistered.keySet().iterator().next());
        }
    }

    private void drop(Member member) {
        Member unused = remove(member.key);
        if (member.external != null) {
            // Taken away until it is registered by hand: a successor must not take it from the configuration.
            remember(member.key, -1);
        }
        if (member.hasWorker()) {
            remember(member.key, Math.max(member.epoch, member.endpoint.epoch()));
        }
        if (member.monitor != null) {
            member.monitor.end();
        }
        changed();
    }

    /** Completes with whether the router is known not to list a URL, within a time. */
    public CompletableFuture<Boolean> awaitOut(String url, Duration timeout) {
        return waiters.until(() -> sync.isOut(url), timeout);
    }

    // Weights, and changes of the fleet.

    /** What weights the fleet has. */
    public FleetWeights weights() {
        return weights;
    }

    /**
     * The fleet has these weights from now on: servers with others get no requests. Only the next generation after the present one
     * is taken, and only from the owner of the change that is under way, so that an update that was thought dead changes nothing.
     * Harmless when repeated; repeat it until it is settled.
     */
    public CompletableFuture<Commit> commit(FleetWeights fresh, String token) {
        boolean mine = change == null || change.token().equals(token);
        CompletableFuture<Void> known = saved;
        if (!fresh.equals(weights) && coming == null && mine && fresh.generation() == weights.generation() + 1) {
            known = take(fresh);
        }
        return known.thenApply(nothing -> {
            boolean taken = fresh.equals(weights);
            return new Commit(taken, taken && isSettled(), weights);
        });
    }

    /** Written down first: a successor must not know less than was answered. */
    private CompletableFuture<Void> take(FleetWeights fresh) {
        coming = fresh;
        save();
        return saved.thenAccept(nothing -> {
            if (!fresh.equals(coming)) {
                return;
            }
            mixedVersion = fresh.alsoId() == null || weights.updated() == null
                    ? null
                    : weights.alsoId() == null ? weights.updated().version() : mixedVersion;
            weights = fresh;
            coming = null;
            clearingUntil = loop.now().plus(CLEARING);
            loop.schedule(CLEARING, this::changed);
            events.add(EventKind.WEIGHTS, "the fleet has " + fresh.text());
            for (Member member : members.values()) {
                if (!fits(member)) {
                    member.asked = false;
                    member.questions.reset();
                    if (!member.hasWorker()) {
                        askVersion(member);
                    }
                }
            }
            changed();
            List.copyOf(members.values()).forEach(this::question);
        });
    }

    private boolean isSettled() {
        Map<String, ServerEndpoint> wanted = wanted();
        return sync.unsettled().stream().allMatch(wanted::containsKey);
    }

    /**
     * Begins a change of the fleet, such as an update of its weights or of the number of its engines: one at a time.
     *
     * @param kind in words
     * @param token the key to the change; beginning again with the same token prolongs the lease
     * @param lease after this the change ends by itself
     * @return empty when it has begun; else why not, in words
     */
    public CompletableFuture<String> beginChange(String kind, String token, Duration lease) {
        if (change != null && !change.token().equals(token)) {
            String other = change.kind();
            return CompletableFuture.completedFuture(other + " is under way; it ends by itself at "
                    + change.lease().until());
        }
        change = new RegistryRecord.KeptChange(kind, token, Lease.begin(loop.now(), lease));
        watchChange();
        save();
        return saved.thenApply(nothing -> "");
    }

    private void watchChange() {
        RegistryRecord.KeptChange now = change;
        if (changeTimer != null) {
            changeTimer.cancel();
            changeTimer = null;
        }
        if (now != null) {
            Duration left = Duration.between(loop.now(), now.lease().until());
            changeTimer = loop.schedule(left.isNegative() ? Duration.ZERO : left, () -> {
                if (now.equals(change)) {
                    events.add(EventKind.FLEET, now.kind() + " was not ended by its owner, and is over");
                    endChange(now.token());
                }
            });
        }
    }

    /** Ends a change; false when it was over already. A mix of weights that it leaves behind ends too. */
    public boolean endChange(String token) {
        if (change == null || !change.token().equals(token)) {
            return false;
        }
        change = null;
        watchChange();
        if (weights.alsoId() != null && coming == null) {
            CompletableFuture<Void> unused = take(weights.alone());
        }
        save();
        return true;
    }

    /** Everything at this moment. */
    public RegistryView view() {
        List<RegistryView.MemberView> all = new ArrayList<>();
        for (Member member : members.values()) {
            RegisteredServer server = sync.listed(member.endpoint.url());
            all.add(new RegistryView.MemberView(
                    member.key,
                    member.endpoint.actor(),
                    member.endpoint.url(),
                    member.external != null,
                    member.endpoint.model(),
                    member.endpoint.workerType(),
                    isWanted(member),
                    server != null && server.healthy(),
                    server == null ? null : server.id(),
                    whyNot(member)));
        }
        return new RegistryView(
                all,
                List.copyOf(sync.foreign()),
                weights.updated() == null ? null : weights.updated().version(),
                change == null ? null : change.kind(),
                sync.problem(),
                sync.repairs());
    }

    /** As {@link #view}, with what the router answers now; one that is silent is waited for 2 s. */
    public CompletableFuture<RegistryView> freshView() {
        sync.look();
        return waiters.until(() -> !sync.isLooking(), RouterSync.SILENT).thenApply(answered -> view());
    }

    /** Completes with whether every member that is wanted is listed, and nothing else of ours, within a time. */
    public CompletableFuture<Boolean> awaitSettled(Duration timeout) {
        return waiters.until(
                () -> sync.isPrimed()
                        && isSettled()
                        && members.values().stream()
                                .filter(this::isWanted)
                                .allMatch(member -> isHealthy(member)
                                        || sync.error(member.endpoint.url()).startsWith("the router refused")),
                timeout);
    }

    private boolean isHealthy(Member member) {
        RegisteredServer server = sync.listed(member.endpoint.url());
        return server != null && server.healthy();
    }

    /** Ends all monitors, and leaves nothing for a successor. */
    public void end() {
        ended = true;
        Iterator<Member> all = members.values().iterator();
        while (all.hasNext()) {
            Member member = all.next();
            if (member.monitor != null) {
                member.monitor.end();
            }
            all.remove();
        }
        byActor.clear();
        byUrl = null;
        sync.down();
        endChangeTimer();
        store.delete();
        if (unsaved != null) {
            unsaved.complete(null);
        }
    }

    private void endChangeTimer() {
        if (changeTimer != null) {
            changeTimer.cancel();
            changeTimer = null;
        }
    }
}
