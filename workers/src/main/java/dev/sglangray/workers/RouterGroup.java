/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.workers.actor.SGLangRouterWorker;
import dev.sglangray.workers.node.SealedSecrets;
import dev.sglangray.workers.process.RouterSpec;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.ServerUrl;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.ray.ActorHandles;
import dev.sglangray.workers.registry.EngineRegistry;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.supervision.Event;
import io.ray.api.ActorHandle;
import io.ray.api.ObjectRef;
import io.ray.api.Ray;
import io.ray.api.placementgroup.PlacementGroup;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The router of a fleet: a group of one. Methods have RLinf's names. */
public final class RouterGroup extends WorkerGroup<SGLangRouterWorker> {

    /** RLinf waits this long for a registration. */
    public static final Duration DEFAULT_REGISTRATION_TIMEOUT = Duration.ofMinutes(5);

    /** Routers take servers on one after the other, each in up to so long. */
    private static final Duration TURN = Duration.ofMillis(500);

    /** SGLang's router has no others. */
    private static final List<String> WORKER_TYPES = List.of("regular", "prefill", "decode");

    /**
     * SGLang takes a second for the {@code /health} that the router waits for during a registration: to look seldom would add
     * half of one.
     */
    public static final Duration DEFAULT_POLL_INTERVAL = Duration.ofMillis(250);

    private RouterGroup(String name, Member<SGLangRouterWorker> member, Ownership ownership) {
        super(name, List.of(member), ownership);
    }

    /**
     * Creates the actor of a plan's router and returns before it is up; {@link #initRouter()} starts the router.
     *
     * @param plan the fleet, which has a router
     * @param reservation the placement group that was made of the plan's bundles
     * @throws WorkerException when another live group has the name
     */
    public static RouterGroup create(FleetPlan plan, PlacementGroup reservation, GroupOptions options) {
        ActorLaunch<RouterSpec> launch = ActorLaunches.router(plan, options)
                .orElseThrow(() ->
                        new IllegalArgumentException("The plan of fleet '" + plan.fleetName() + "' has no router."));
        return create(launch, reservation, options);
    }

    static RouterGroup create(ActorLaunch<RouterSpec> launch, PlacementGroup reservation, GroupOptions options) {
        RouterSpec spec = launch.spec();
        SealedSecrets.Key key = SealedSecrets.Key.random();
        ActorHandle<SGLangRouterWorker> handle = ActorFactory.create(
                Ray.actor(SGLangRouterWorker::new, key.seal(ProtocolJson.write(spec)))
                        .setConcurrencyGroups(ConcurrencyGroups.ofRouter()),
                WorkerNames.actor(spec.groupName(), 0),
                launch.bundle(),
                reservation,
                spec.supervision(),
                options);
        // Ray runs it before the start, which is called later.
        ObjectRef<Boolean> unused =
                handle.task(SGLangRouterWorker::unseal, ProtocolJson.write(key)).remote();
        return new RouterGroup(
                spec.groupName(), new Member<>(0, launch.node(), handle, List.of(), false), Ownership.OWNER);
    }

    /**
     * Finds a live router by its group's name, from any Java driver in the same Ray namespace. Closing what is returned
     * ends nothing; {@link #destroy()} does.
     *
     * @throws WorkerException when there is no such group, or its worker is gone
     */
    public static RouterGroup attach(String groupName) {
        RouterGroup found = find(groupName)
                .orElseThrow(() -> new WorkerException(
                        groupName,
                        0,
                        "",
                        "attach",
                        "there is no actor '" + WorkerNames.actor(groupName, 0) + "' in namespace '"
                                + Ray.getRuntimeContext().getNamespace() + "'",
                        null));
        String node = found.status()
                .await(ActorFactory.ATTACH_TIMEOUT)
                .get(0)
                .process()
                .nodeIp();
        return new RouterGroup(
                groupName, new Member<>(0, node, found.members().get(0).handle(), List.of(), true), Ownership.GUEST);
    }

    /** As {@link #attach}, without asking the worker whether it answers; empty when there is none. */
    public static Optional<RouterGroup> find(String groupName) {
        Optional<ActorHandle<SGLangRouterWorker>> found = ActorHandles.find(WorkerNames.actor(groupName, 0));
        return found.map(handle -> new RouterGroup(groupName, new Member<>(0, handle), Ownership.GUEST));
    }

    @Override
    RouterGroup on(Member<SGLangRouterWorker> member) {
        return new RouterGroup(name(), member, Ownership.GUEST);
    }

    /** Starts the router without workers and answers with its URL once it is healthy. */
    public WorkerGroupFuture<String> initRouter() {
        return call("initRouter", SGLangRouterWorker::initRouter);
    }

    /** The router's URL; fails when it was not started. */
    public WorkerGroupFuture<String> getRouterUrl() {
        return call("getRouterUrl", SGLangRouterWorker::getRouterUrl);
    }

    /** Adds a regular server and answers once the router sends requests to it. */
    public WorkerGroupFuture<RegisteredServer> registerServer(String url) {
        return registerServer(url, "regular", null);
    }

    /**
     * Adds a server and answers once the router sends requests to it.
     *
     * @param url the server's base URL, as in {@code http://10.0.0.1:30000}
     * @param workerType {@code regular}, {@code prefill} or {@code decode}
     * @param bootstrapPort a prefill server's bootstrap port, else null
     */
    public WorkerGroupFuture<RegisteredServer> registerServer(
            String url, String workerType, @Nullable Integer bootstrapPort) {
        return registerServer(new ServerEndpoint(url, workerType, bootstrapPort, null));
    }

    /** As above, with what {@link ServerGroup#endpoints()} said, the engine's key included. */
    public WorkerGroupFuture<RegisteredServer> registerServer(ServerEndpoint endpoint) {
        return registerServer(endpoint, DEFAULT_REGISTRATION_TIMEOUT);
    }

    /** How long a registration may take that is one of so many at the same time. */
    public static Duration registrationTimeout(int servers) {
        return DEFAULT_REGISTRATION_TIMEOUT.plus(TURN.multipliedBy(servers));
    }

    /**
     * As above, with another time. No thread waits anywhere meanwhile. A server that was not registered before, and that the router
     * does not send to in time, is not registered afterwards. A server that is registered already, under whatever spelling or name of
     * its address, stays one server and keeps the URL that it has.
     *
     * @throws IllegalArgumentException when the URL is no base URL of an HTTP server, the worker type is none of the three, or the
     *     bootstrap port is no port
     */
    public WorkerGroupFuture<RegisteredServer> registerServer(ServerEndpoint endpoint, Duration timeout) {
        return registerServer(endpoint, timeout, DEFAULT_POLL_INTERVAL);
    }

    /**
     * As above, with another time between two looks at the router.
     *
     * @param pollInterval the longest, 1 ms or more; the first looks are closer together
     */
    public WorkerGroupFuture<RegisteredServer> registerServer(
            ServerEndpoint endpoint, Duration timeout, Duration pollInterval) {
        ServerEndpoint checked = endpoint.withUrl(ServerUrl.of(endpoint.url()));
        if (!WORKER_TYPES.contains(endpoint.workerType())) {
            throw new IllegalArgumentException("the worker type of " + checked.url() + " is '" + endpoint.workerType()
                    + "', and must be one of " + String.join(", ", WORKER_TYPES));
        }
        Integer port = endpoint.bootstrapPort();
        if (port != null && (port < 1 || port > 65535)) {
            throw new IllegalArgumentException(
                    "the bootstrap port of " + checked.url() + " is " + port + ", and must be between 1 and 65535");
        }
        RegistrationWait wait = new RegistrationWait(this, checked, timeout, pollInterval);
        return new WorkerGroupFuture<>(name(), "registerServer", ranks(), List.of(wait.begin()));
    }

    /**
     * Has the router answer one request to its {@code /generate}, by way of its worker: that needs no key and no way to the
     * router's port. At most 16 at once; a program with many requests takes an {@code InferenceHttpClient} and
     * {@link #getRouterUrl()}. A request that fails is not repeated.
     *
     * @param request SGLang's, such as {@code text} and {@code sampling_params}; not streamed, and of one prompt
     * @param timeout until the whole answer is there
     */
    public WorkerGroupFuture<Map<String, Object>> generate(Map<String, ?> request, Duration timeout) {
        if (Boolean.TRUE.equals(request.get("stream"))) {
            throw new IllegalArgumentException("generate gives whole answers; take an InferenceHttpClient for streams");
        }
        return call("generate", SGLangRouterWorker::generate, ProtocolJson.write(request), seconds(timeout))
                .map(answer -> ProtocolJson.map(ProtocolJson.tree(answer)));
    }

    CompletableFuture<String> register(String endpointJson) {
        return call("registerServer", SGLangRouterWorker::register, endpointJson)
                .first();
    }

    CompletableFuture<EngineRegistry.Registration> registration(String key) {
        return call("registerServer", SGLangRouterWorker::registration, key)
                .map(read(EngineRegistry.Registration.class))
                .first();
    }

    /** What the registry knows: its servers, which of them the router is to send to and does, and why not. */
    public WorkerGroupFuture<RegistryView> registry() {
        return call("registry", SGLangRouterWorker::registry).map(read(RegistryView.class));
    }

    /** Takes the engine of a worker away for good, by the worker's key; false when it was not registered. */
    public WorkerGroupFuture<Boolean> retire(String key) {
        return call("retire", SGLangRouterWorker::retire, key);
    }

    /**
     * Begins a change of the fleet, such as of the number of its engines; one at a time. Repeating it with the same token prolongs
     * the lease.
     *
     * @param kind in words
     * @param token names the owner of the change
     * @param lease after this it ends by itself
     * @return empty when it has begun; else why not, in words
     */
    public WorkerGroupFuture<String> beginChange(String kind, String token, Duration lease) {
        return call("beginChange", SGLangRouterWorker::beginChange, kind, token, seconds(lease));
    }

    /** Ends a change of the fleet; false when it was over already. */
    public WorkerGroupFuture<Boolean> endChange(String token) {
        return call("endChange", SGLangRouterWorker::endChange, token);
    }

    /**
     * Takes a server away for good, and answers when the router sends it nothing more; false when it is not registered. A router
     * that does not answer is waited for 3 s. May be repeated after a failure.
     *
     * @throws IllegalArgumentException when the URL is no base URL of an HTTP server
     */
    public WorkerGroupFuture<Boolean> unregisterServer(String url) {
        String base = ServerUrl.of(url);
        return call("unregisterServer", SGLangRouterWorker::unregisterServer, base);
    }

    WorkerGroupFuture<Boolean> giveUp(String url) {
        return call("registerServer", SGLangRouterWorker::giveUp, url);
    }

    /** Adds to the events what the fleet's owner did. */
    public WorkerGroupFuture<Boolean> remark(String text) {
        return call("remark", SGLangRouterWorker::remark, text);
    }

    /** The servers that the router lists. */
    public WorkerGroupFuture<List<RegisteredServer>> servers() {
        return call("servers", SGLangRouterWorker::servers).map(readAll(RegisteredServer[].class));
    }

    /** The weights that the router's engines are to have; null inside before the first update. */
    WorkerGroupFuture<FleetWeights> fleetWeights() {
        return call("fleetWeights", SGLangRouterWorker::fleetWeights).map(read(FleetWeights.class));
    }

    WorkerGroupFuture<EngineRegistry.Commit> commitWeights(FleetWeights weights, String token) {
        return call("commitWeights", SGLangRouterWorker::commitWeights, ProtocolJson.write(weights), token)
                .map(read(EngineRegistry.Commit.class));
    }

    @Override
    public WorkerGroupFuture<WorkerStatus> status() {
        return call("status", SGLangRouterWorker::status).map(read(WorkerStatus.class));
    }

    @Override
    public WorkerGroupFuture<Boolean> isHealthy() {
        return call("isHealthy", SGLangRouterWorker::isHealthy);
    }

    @Override
    public WorkerGroupFuture<String> logTail(int lines) {
        return call("logTail", SGLangRouterWorker::logTail, lines);
    }

    @Override
    public WorkerGroupFuture<LogTail.Piece> logPiece(LogTail.@Nullable Position from, int lines) {
        return call("logPiece", SGLangRouterWorker::logPiece, json(from), lines).map(read(LogTail.Piece.class));
    }

    @Override
    public WorkerGroupFuture<Boolean> shutdown() {
        return end(SGLangRouterWorker::shutdown);
    }

    @Override
    public WorkerGroupFuture<List<Event>> events(long from) {
        return call("events", SGLangRouterWorker::events, from).map(readAll(Event[].class));
    }

    @Override
    public WorkerGroupFuture<String> restart(String why, Duration timeout) {
        return call("restart", SGLangRouterWorker::restart, why, seconds(timeout));
    }

    /**
     * Replaces the router by one with other arguments behind the same URL, with the same servers; answers with the URL. The
     * arguments are checked against those of the router that is installed and tried out beside the router that serves, before that
     * one ends; requests fail for the moment between the two. They hold for all later restarts. When the new router does not come
     * up, the old arguments are put back, and the failure says why.
     *
     * @param changes by argument's name; null for the router's own default. Host, port and keys cannot change
     * @param timeout for all of it
     */
    public WorkerGroupFuture<String> replace(Map<String, ?> changes, Duration timeout) {
        return call("replace", SGLangRouterWorker::replace, ProtocolJson.write(changes), seconds(timeout));
    }
}
