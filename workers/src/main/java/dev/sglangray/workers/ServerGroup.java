/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.workers.actor.SGLangPartWorker;
import dev.sglangray.workers.actor.SGLangServerWorker;
import dev.sglangray.workers.node.SealedSecrets;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.ray.ActorHandles;
import dev.sglangray.workers.supervision.Event;
import io.ray.api.ActorHandle;
import io.ray.api.BaseActorHandle;
import io.ray.api.ObjectRef;
import io.ray.api.Ray;
import io.ray.api.placementgroup.PlacementGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The engines of a fleet. Methods have RLinf's names and answer with one value per engine, in rank order. */
public final class ServerGroup extends WorkerGroup<SGLangServerWorker> {

    /** So many ranks in a row may be gone before a group counts as gone; each costs a question of a millisecond. */
    private static final int MOST_GONE = 256;

    private final List<Integer> gone;

    private ServerGroup(String name, List<Member<SGLangServerWorker>> members, Ownership ownership) {
        this(name, members, List.of(), ownership);
    }

    private ServerGroup(
            String name, List<Member<SGLangServerWorker>> members, List<Integer> gone, Ownership ownership) {
        super(name, members, ownership);
        this.gone = List.copyOf(gone);
    }

    /**
     * Creates the actors of a plan's engines, all at once, and returns before they are up; {@link #initServer()} starts
     * the engines. Nothing is left when one cannot be created.
     *
     * @param plan the fleet, which has at least one engine
     * @param reservation the placement group that was made of the plan's bundles
     * @throws WorkerException when another live group has the name
     */
    public static ServerGroup create(FleetPlan plan, PlacementGroup reservation, GroupOptions options) {
        if (plan.engines().isEmpty()) {
            throw new IllegalArgumentException("The plan of fleet '" + plan.fleetName() + "' has no engines.");
        }
        return create(plan.engines().get(0).groupName(), ActorLaunches.servers(plan, options), reservation, options);
    }

    static ServerGroup create(
            String name, List<ActorLaunch<ServerSpec>> launches, PlacementGroup reservation, GroupOptions options) {
        List<Member<SGLangServerWorker>> members = new ArrayList<>();
        try {
            for (ActorLaunch<ServerSpec> launch : launches) {
                ServerSpec spec = launch.spec();
                SealedSecrets.Key key = SealedSecrets.Key.random();
                ActorHandle<SGLangServerWorker> handle = ActorFactory.create(
                        Ray.actor(SGLangServerWorker::new, key.seal(ProtocolJson.write(spec)))
                                .setConcurrencyGroups(ConcurrencyGroups.ofServer()),
                        spec.actorName(),
                        launch.bundle(),
                        reservation,
                        spec.supervision(),
                        options);
                members.add(new Member<>(spec.rank(), launch.node(), handle, List.of(), false));
                if (spec.spansNodes()) {
                    List<BaseActorHandle> parts = parts(launch, reservation, options);
                    members.set(members.size() - 1, new Member<>(spec.rank(), launch.node(), handle, parts, false));
                }
                // Ray runs it before the start, which is called later.
                ObjectRef<Boolean> unused = handle.task(SGLangServerWorker::unseal, ProtocolJson.write(key))
                        .remote();
            }
        } catch (RuntimeException e) {
            ActorFactory.killAll(members);
            throw e;
        }
        return new ServerGroup(name, members, Ownership.OWNER);
    }

    /** Creates the actors of the further parts of an engine; none is left when one cannot be created. */
    private static List<BaseActorHandle> parts(
            ActorLaunch<ServerSpec> launch, PlacementGroup reservation, GroupOptions options) {
        List<BaseActorHandle> parts = new ArrayList<>();
        boolean done = false;
        try {
            for (ActorLaunch.Bundle bundle : launch.parts()) {
                String name = WorkerNames.part(
                        launch.spec().groupName(), launch.spec().rank(), parts.size() + 1);
                parts.add(ActorFactory.create(
                        Ray.actor(SGLangPartWorker::new, name).setConcurrencyGroups(ConcurrencyGroups.ofPart()),
                        name,
                        bundle,
                        reservation,
                        launch.spec().supervision(),
                        options));
            }
            done = true;
            return parts;
        } finally {
            if (!done) {
                parts.forEach(part -> part.kill(true));
            }
        }
    }

    @Override
    List<BaseActorHandle> furtherParts(Member<SGLangServerWorker> member) {
        List<BaseActorHandle> found = new ArrayList<>();
        try {
            for (int part = 1; ; part++) {
                Optional<ActorHandle<SGLangPartWorker>> next =
                        ActorHandles.find(WorkerNames.part(name(), member.rank(), part));
                if (next.isEmpty()) {
                    return found;
                }
                found.add(next.get());
            }
        } catch (RuntimeException e) {
            // Ray cannot be asked now: those of a fleet that ends are found by Ray's list of actors too.
            return found;
        }
    }

    /** Whether Ray still knows an actor of any part of these engines. */
    public boolean isAnyNamed() {
        return members().stream()
                .anyMatch(member -> IntStream.rangeClosed(
                                0, Math.max(1, member.parts().size()))
                        .anyMatch(part -> ActorHandles.find(WorkerNames.part(name(), member.rank(), part))
                                .isPresent()));
    }

    /**
     * This group and further engines, whose actors are created in their bundles; as {@link #create}, it returns before they
     * are up. Only what this returns ends the further ones when it is closed; forget this one.
     *
     * @param added the engines, of ranks that the group does not have
     * @param routerGroup the group of the fleet's router, or null
     * @throws WorkerException when one cannot be created; none of the further ones is left then
     */
    public ServerGroup with(
            List<EnginePlan> added, @Nullable String routerGroup, PlacementGroup reservation, GroupOptions options) {
        List<ActorLaunch<ServerSpec>> launches =
                ActorLaunches.servers(added, size() + added.size(), routerGroup, options);
        List<Member<SGLangServerWorker>> all = new ArrayList<>(members());
        all.addAll(create(name(), launches, reservation, options).members());
        all.sort(Comparator.comparingInt(Member::rank));
        return new ServerGroup(name(), all, Ownership.OWNER);
    }

    /** This group without some engines, which go on; forget this one. */
    public ServerGroup without(Collection<Integer> ranks) {
        Set<Integer> others = Set.copyOf(ranks);
        List<Member<SGLangServerWorker>> rest = members().stream()
                .filter(member -> !others.contains(member.rank()))
                .toList();
        return new ServerGroup(name(), rest, Ownership.OWNER);
    }

    /**
     * Kills the workers without asking them, as their node is gone. Ray takes a moment; until {@link #isNamed()} is false
     * their names cannot be used again.
     */
    public void abandon() {
        kill();
    }

    /** Tells the workers how many engines their group has, from which a program that attaches knows whether any is gone. */
    public WorkerGroupFuture<Boolean> resize(int engines) {
        return call("resize", SGLangServerWorker::resize, engines);
    }

    /**
     * Finds a live group by name, from any Java driver in the same Ray namespace. Closing what is returned ends nothing;
     * {@link #destroy()} does.
     *
     * @throws WorkerException when there is no such group, or one of its workers is gone
     */
    public static ServerGroup attach(String groupName) {
        Optional<ServerGroup> found = find(groupName);
        int missing = found.map(
                        group -> group.gone().isEmpty() ? -1 : group.gone().get(0))
                .orElse(0);
        if (missing >= 0) {
            throw new WorkerException(
                    groupName,
                    missing,
                    "",
                    "attach",
                    "there is no actor '" + WorkerNames.actor(groupName, missing) + "' in namespace '"
                            + Ray.getRuntimeContext().getNamespace() + "'",
                    null);
        }
        return found.orElseThrow();
    }

    /**
     * As {@link #attach}, but content with those that are left of a group: {@link #gone()} tells the others. Empty when there
     * is no worker of the name.
     */
    public static Optional<ServerGroup> find(String groupName) {
        return find(groupName, List.of());
    }

    /**
     * As {@link #find(String)}, for a caller that has Ray's list of actors.
     *
     * @param listed ranks that are looked at in any case
     */
    public static Optional<ServerGroup> find(String groupName, Collection<Integer> listed) {
        int end = listed.stream().mapToInt(rank -> rank + 1).max().orElse(0);
        int lastFound = -1;
        List<Member<SGLangServerWorker>> members = new ArrayList<>();
        List<Integer> gone = new ArrayList<>();
        List<CompletableFuture<Integer>> asked = new ArrayList<>();
        OptionalInt size = OptionalInt.empty();
        for (int rank = 0; rank < end || rank - lastFound <= MOST_GONE; rank++) {
            Optional<ActorHandle<SGLangServerWorker>> actor = ActorHandles.find(WorkerNames.actor(groupName, rank));
            if (actor.isPresent()) {
                Member<SGLangServerWorker> member = new Member<>(rank, actor.get());
                members.add(member);
                lastFound = rank;
                asked.add(sizeBy(groupName, member));
                continue;
            }
            if (!asked.isEmpty()) {
                size = first(asked);
                asked.clear();
            }
            if (size.isPresent() && rank >= size.getAsInt() && rank >= end) {
                break;
            }
            gone.add(rank);
        }
        if (members.isEmpty()) {
            return Optional.empty();
        }
        int last = members.get(members.size() - 1).rank();
        int known = Math.max(size.orElse(0), last + 1);
        gone.removeIf(rank -> rank >= known);
        return Optional.of(new ServerGroup(groupName, members, gone, Ownership.GUEST));
    }

    /** How many engines a worker says that its group has. */
    private static CompletableFuture<Integer> sizeBy(String groupName, Member<SGLangServerWorker> member) {
        ServerGroup scout = new ServerGroup(groupName, List.of(member), Ownership.GUEST);
        return scout.status()
                .toCompletableFuture()
                .thenApply(statuses -> statuses.get(0).identity().groupSize());
    }

    /** The first answer: those of a lost node answer once it is back. Empty when none comes in time. */
    private static OptionalInt first(List<CompletableFuture<Integer>> asked) {
        CompletableFuture<Integer> first = new CompletableFuture<>();
        for (CompletableFuture<Integer> one : asked) {
            CompletableFuture<Boolean> unused = one.thenApply(first::complete);
        }
        CompletableFuture<Void> all = CompletableFuture.allOf(asked.toArray(CompletableFuture<?>[]::new));
        try {
            CompletableFuture.anyOf(first, all.exceptionally(failure -> null))
                    .get(ActorFactory.ATTACH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // No worker answered.
        }
        return first.isDone() ? OptionalInt.of(first.join()) : OptionalInt.empty();
    }

    /** The ranks whose workers were gone for good when the group was {@linkplain #find found}. */
    public List<Integer> gone() {
        return gone;
    }

    /** What names each worker and no other, also not a later one of the same name, for {@link RouterGroup#retire}. */
    public List<String> keys() {
        return members().stream()
                .map(member -> member.handle().getId().toString())
                .toList();
    }

    /** The same workers, fewer of them. Closing a view ends nothing. */
    public ServerGroup on(int... ranks) {
        return view(membersOn(ranks));
    }

    @Override
    ServerGroup on(Member<SGLangServerWorker> member) {
        return view(List.of(member));
    }

    private ServerGroup view(List<Member<SGLangServerWorker>> some) {
        return new ServerGroup(name(), some, Ownership.GUEST);
    }

    /** Starts every engine and answers with its URL once it is healthy. */
    public WorkerGroupFuture<String> initServer() {
        return call("initServer", SGLangServerWorker::initServer);
    }

    /** The engines' URLs; fails for engines that were not started. */
    public WorkerGroupFuture<String> getServerUrl() {
        return call("getServerUrl", SGLangServerWorker::getServerUrl);
    }

    /** What a router must know of each engine: URL, worker type, bootstrap port. */
    public WorkerGroupFuture<ServerEndpoint> endpoints() {
        return call("endpoint", SGLangServerWorker::endpoint).map(read(ServerEndpoint.class));
    }

    /** Ends requests that an engine works on: those of one id, or all for an empty id. */
    public WorkerGroupFuture<Boolean> abort(String requestId) {
        return call("abort", SGLangServerWorker::abort, requestId);
    }

    @Override
    public WorkerGroupFuture<WorkerStatus> status() {
        return call("status", SGLangServerWorker::status).map(read(WorkerStatus.class));
    }

    @Override
    public WorkerGroupFuture<Boolean> isHealthy() {
        return call("isHealthy", SGLangServerWorker::isHealthy);
    }

    @Override
    public WorkerGroupFuture<String> logTail(int lines) {
        return call("logTail", SGLangServerWorker::logTail, lines);
    }

    @Override
    public WorkerGroupFuture<LogTail.Piece> logPiece(LogTail.@Nullable Position from, int lines) {
        return call("logPiece", SGLangServerWorker::logPiece, json(from), lines).map(read(LogTail.Piece.class));
    }

    /** How many further parts the engine of a rank has, of which Ray has actors; 0 for an engine on one node. */
    public int furtherParts(int rank) {
        return furtherParts(membersOn(rank).get(0)).size();
    }

    /**
     * As {@link #logPiece}, of a further part of the engine of a rank.
     *
     * @param part the part's number, 1 or more
     */
    public WorkerGroupFuture<LogTail.Piece> logPieceOfPart(
            int rank, int part, LogTail.@Nullable Position from, int lines) {
        String position = json(from);
        return ActorHandles.<SGLangPartWorker>find(WorkerNames.part(name(), rank, part))
                .map(worker -> callOn(
                        rank,
                        worker,
                        "logPiece",
                        handle -> handle.task(SGLangPartWorker::logPiece, position, lines)
                                .remote()))
                .orElseThrow(() -> new WorkerException(name(), rank, "", "logPiece", "it has no part " + part, null))
                .map(read(LogTail.Piece.class));
    }

    /** How much each engine has to do; without values for one that does not serve. */
    public WorkerGroupFuture<EngineLoad> load() {
        return call("load", SGLangServerWorker::load).map(read(EngineLoad.class));
    }

    @Override
    public WorkerGroupFuture<Boolean> shutdown() {
        return end(SGLangServerWorker::shutdown);
    }

    @Override
    public WorkerGroupFuture<List<Event>> events(long from) {
        return call("events", SGLangServerWorker::events, from).map(readAll(Event[].class));
    }

    @Override
    public WorkerGroupFuture<String> restart(String why, Duration timeout) {
        return call("restart", SGLangServerWorker::restart, why, seconds(timeout));
    }

    /**
     * Keeps new requests away from the engines and waits for those that they have.
     *
     * @return how many each still has when the time is over; -1 where the engine cannot tell
     */
    public WorkerGroupFuture<Integer> drain(Duration timeout) {
        return call("drain", SGLangServerWorker::drain, seconds(timeout), 0);
    }

    /**
     * As {@link #drain(Duration)}, whose drain ends by itself an hour after its time, with another lease.
     *
     * @param lease after this new requests come again, should {@link #undrain} not be called
     */
    public WorkerGroupFuture<Integer> drain(Duration timeout, Duration lease) {
        return call("drain", SGLangServerWorker::drain, seconds(timeout), seconds(lease));
    }

    /** Lets new requests come to drained engines. */
    public WorkerGroupFuture<Boolean> undrain(Duration timeout) {
        return call("undrain", SGLangServerWorker::undrain, seconds(timeout));
    }

    /** Stops looking whether the engines generate, as while their memory is released; or looks again. */
    public WorkerGroupFuture<Boolean> pauseProbes(boolean paused) {
        return call("pauseProbes", SGLangServerWorker::pauseProbes, paused);
    }

    /**
     * Lends accelerator memory of all engines at once. The engines get no new requests from before the release until after
     * the resume, those that they have are waited for, probes rest, and an engine that ends is not started again until then.
     * What is released already stays so: repeating the call after a failure is safe, and {@link #status()} tells of each
     * engine what it has released. The engines need {@code enable_memory_saver}.
     *
     * @param tags SGLang's words {@code kv_cache}, {@code weights}, {@code cuda_graph}; empty for all
     * @param timeout for all engines together
     */
    public WorkerGroupFuture<Boolean> releaseMemory(List<String> tags, Duration timeout) {
        return call("releaseMemory", SGLangServerWorker::releaseMemory, ProtocolJson.write(tags), seconds(timeout));
    }

    /**
     * Takes lent memory of all engines back at once; an engine that has all of it gets requests again. Repeating is safe.
     *
     * @param tags what to take back; empty for all that is lent
     * @param timeout for all engines together
     */
    public WorkerGroupFuture<Boolean> resumeMemory(List<String> tags, Duration timeout) {
        return call("resumeMemory", SGLangServerWorker::resumeMemory, ProtocolJson.write(tags), seconds(timeout));
    }

    /**
     * Stops the generation of all engines. Requests may still come; they wait inside the engines. Repeating is safe.
     *
     * @param mode what becomes of the requests under way
     * @param timeout for all engines together
     */
    public WorkerGroupFuture<Boolean> pauseGeneration(PauseMode mode, Duration timeout) {
        return call("pauseGeneration", SGLangServerWorker::pauseGeneration, mode.name(), seconds(timeout));
    }

    /** Lets the generation of all engines continue. Repeating is safe. */
    public WorkerGroupFuture<Boolean> continueGeneration(Duration timeout) {
        return call("continueGeneration", SGLangServerWorker::continueGeneration, seconds(timeout));
    }

    /** Empties the engines' caches of prefixes; an engine that has requests refuses. */
    public WorkerGroupFuture<Boolean> flushCache(Duration timeout) {
        return call("flushCache", SGLangServerWorker::flushCache, seconds(timeout));
    }

    /**
     * Posts one body to a control route of every engine, such as {@code /get_weights_by_name}, and answers with what each
     * said. An engine that does not answer with 200 fails the call with its words.
     */
    public WorkerGroupFuture<String> engineCall(String route, Map<String, ?> body, Duration timeout) {
        return call(
                "engineCall " + route,
                SGLangServerWorker::engineCall,
                route,
                ProtocolJson.write(body),
                seconds(timeout));
    }

    /** The name of the group of the router that each engine is registered with; empty for none. */
    public WorkerGroupFuture<String> routerGroup() {
        return call("routerGroup", SGLangServerWorker::routerGroup);
    }

    /** What each engine's worker remembers of its fleet's weights; a router's word counts more. */
    WorkerGroupFuture<FleetWeights> fleetWeights() {
        return call("fleetWeights", SGLangServerWorker::fleetWeights).map(read(FleetWeights.class));
    }

    WorkerGroupFuture<UpdateOutcome> prepareUpdate(String noticeJson, Duration timeout, Duration lease) {
        return call("updateWeights", SGLangServerWorker::prepareUpdate, noticeJson, seconds(timeout), seconds(lease))
                .map(read(UpdateOutcome.class));
    }

    WorkerGroupFuture<UpdateOutcome> applyUpdate(String id, String updateJson, Duration timeout) {
        return call("updateWeights", SGLangServerWorker::applyUpdate, id, updateJson, seconds(timeout))
                .map(read(UpdateOutcome.class));
    }

    WorkerGroupFuture<String> settleUpdate(String fleetWeightsJson, String id, Duration timeout) {
        return call("updateWeights", SGLangServerWorker::settleUpdate, fleetWeightsJson, id, seconds(timeout));
    }
}
